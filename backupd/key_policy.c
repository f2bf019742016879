/* What this is: key policy: how to set up a storage so that a writer creates and never changes or deletes.
 * Rests on: context.h.
 * Does not: set anything up. */
#include "backupd/context.h"
#include "cli/exit.h"

static const char text[] =
    "# What a writer needs: list, read (log/, roles/, repository/), create. What a keeper needs besides: delete.\n"
    "# Names are random or hashes and never used twice, so a storage that refuses to overwrite loses nothing.\n"
    "\n"
    "## A directory (file:)\n"
    "# Whoever may create files in a directory may also delete his own: modes alone make no create-only writer.\n"
    "# One user:    chmod 0700 DIR\n"
    "# A group:     chgrp GROUP DIR && chmod 2770 DIR     (sticky, 3770: no member deletes another's files)\n"
    "# To hold against a thief of the writer: snapshots of the file system below that the writer's user cannot\n"
    "# remove, or one of the storages below.\n"
    "\n"
    "## S3\n"
    "# Writer. With versioning and object lock a thief of its keys can neither delete nor hide for good.\n"
    "{\n"
    "  \"Version\": \"2012-10-17\",\n"
    "  \"Statement\": [\n"
    "    {\"Effect\": \"Allow\", \"Action\": [\"s3:ListBucket\", \"s3:ListBucketMultipartUploads\"],\n"
    "     \"Resource\": \"arn:aws:s3:::BUCKET\"},\n"
    "    {\"Effect\": \"Allow\", \"Action\": [\"s3:GetObject\", \"s3:PutObject\", \"s3:AbortMultipartUpload\",\n"
    "     \"s3:ListMultipartUploadParts\"], \"Resource\": \"arn:aws:s3:::BUCKET/PREFIX/*\"},\n"
    "    {\"Effect\": \"Deny\", \"Action\": [\"s3:DeleteObject\", \"s3:DeleteObjectVersion\",\n"
    "     \"s3:PutBucketVersioning\", \"s3:PutLifecycleConfiguration\", \"s3:BypassGovernanceRetention\"],\n"
    "     \"Resource\": [\"arn:aws:s3:::BUCKET\", \"arn:aws:s3:::BUCKET/*\"]}\n"
    "  ]\n"
    "}\n"
    "\n"
    "## SFTP (sshd_config of OpenSSH)\n"
    "# Plain rename never replaces a file, posix-rename would.\n"
    "Match User WRITER\n"
    "    ChrootDirectory /srv/respite\n"
    "    ForceCommand internal-sftp -P remove,rmdir,posix-rename,hardlink,symlink,setstat,fsetstat,copy-data\n"
    "    DisableForwarding yes\n"
    "    PermitTTY no\n"
    "# It may still open a file of its own for writing: keep snapshots of the file system as well.\n"
    "\n"
    "## WebDAV (Apache)\n"
    "# Uploads go to NAME.part; publishing is a MOVE that replaces nothing.\n"
    "<Location /respite>\n"
    "    Dav On\n"
    "    <LimitExcept GET HEAD OPTIONS PROPFIND MKCOL PUT MOVE>\n"
    "        Require user KEEPER\n"
    "    </LimitExcept>\n"
    "    RewriteEngine On\n"
    "    RewriteCond %{REMOTE_USER} !=KEEPER\n"
    "    RewriteCond %{REQUEST_METHOD} ^(PUT|MOVE)$\n"
    "    RewriteCond %{REQUEST_URI} !\\.part$\n"
    "    RewriteRule .* - [F]\n"
    "    RewriteCond %{REQUEST_METHOD} =MOVE\n"
    "    RewriteCond %{HTTP:Overwrite} !=F\n"
    "    RewriteRule .* - [F]\n"
    "</Location>\n";

int verb_key_policy(struct context *c)
{
    (void)c;
    fputs(text, stdout);
    return EXIT_OK;
}
