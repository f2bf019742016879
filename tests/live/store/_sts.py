#!/usr/bin/env python3
"""What this is: a session token of Ceph's STS, for a case: key, secret and token in three lines.
Rests on: _s3.py and its environment; the user S3_USER may change users.
Does not: ask another STS."""
import os
import re
import sys
import urllib.parse

import _s3


def ask(service, **words):
    env = dict(os.environ, S3_SERVICE=service)
    status, _, answer = _s3.request('POST', '/', urllib.parse.urlencode(words).encode(),
                                    {'content-type': 'application/x-www-form-urlencoded'}, env)
    if status != 200:
        sys.exit(f'{words["Action"]}: {status} {answer.decode()}')
    return answer.decode()


ask('iam', Action='PutUserPolicy', UserName=os.environ['S3_USER'], PolicyName='sessions', PolicyDocument='{"Version": '
    '"2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}')
text = ask('sts', Action='GetSessionToken')
for name in ('AccessKeyId', 'SecretAccessKey', 'SessionToken'):
    print(re.search(f'<{name}>([^<]*)', text).group(1))
