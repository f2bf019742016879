#!/usr/bin/env python3
"""What this is: one signed S3 request, for the cases: _s3.py METHOD PATH[?QUERY] [-H NAME:VALUE] [-d TEXT | -f FILE];
    or _s3.py url METHOD PATH: prints a URL that is signed itself, for whoever has no keys, for an hour.
Rests on: python3; S3_ENDPOINT, S3_ACCESS, S3_SECRET, S3_REGION, S3_TOKEN, S3_SERVICE of the environment.
Does not: share a line with the driver that it helps to test. The body (of HEAD: the fields) goes to stdout, "STATUS CODE" to stderr; exit 0 for 2xx."""
import base64
import datetime
import hashlib
import hmac
import http.client
import os
import re
import sys
import urllib.parse


def encoded(text, keep=''):
    return urllib.parse.quote(text, safe='-_.~' + keep)


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def request(method, target, body=b'', fields=None, env=os.environ):
    """Returns status, fields (names in lower case) and body."""
    end = urllib.parse.urlsplit(env.get('S3_ENDPOINT', 'http://127.0.0.1'))
    region, service = env.get('S3_REGION', 'us-east-1'), env.get('S3_SERVICE', 's3')
    path, _, query = target.partition('?')
    pairs = sorted((encoded(k), encoded(v)) for k, v in urllib.parse.parse_qsl(query, keep_blank_values=True))
    path, query = encoded(path, '/'), '&'.join(k + '=' + v for k, v in pairs)
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime('%Y%m%dT%H%M%SZ')
    digest = hashlib.sha256(body).hexdigest()
    head = {'host': end.netloc, 'x-amz-date': stamp, 'x-amz-content-sha256': digest}
    if env.get('S3_TOKEN'):
        head['x-amz-security-token'] = env['S3_TOKEN']
    if body:
        head['content-md5'] = base64.b64encode(hashlib.md5(body).digest()).decode()
    head.update({k.lower(): v for k, v in (fields or {}).items()})
    names = ';'.join(sorted(head))
    canonical = '\n'.join([method, path, query, ''.join(f'{k}:{head[k]}\n' for k in sorted(head)), names, digest])
    scope = f'{stamp[:8]}/{region}/{service}/aws4_request'
    text = '\n'.join(['AWS4-HMAC-SHA256', stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ('AWS4' + env['S3_SECRET']).encode()
    for part in (stamp[:8], region, service, 'aws4_request'):
        key = mac(key, part)
    head['authorization'] = (f"AWS4-HMAC-SHA256 Credential={env['S3_ACCESS']}/{scope}, SignedHeaders={names}, "
                             f'Signature={mac(key, text).hex()}')
    there = http.client.HTTPConnection(end.hostname, end.port or 80, timeout=60)
    there.request(method, path + ('?' + query if query else ''), body=body or None, headers=head)
    reply = there.getresponse()
    return reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read()


def presigned(method, path, env=os.environ):
    """A URL by which the request can be made as it is."""
    end = urllib.parse.urlsplit(env['S3_ENDPOINT'])
    region, path = env.get('S3_REGION', 'us-east-1'), encoded(path, '/')
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime('%Y%m%dT%H%M%SZ')
    scope = f'{stamp[:8]}/{region}/s3/aws4_request'
    query = '&'.join(f'{k}={encoded(v)}' for k, v in sorted({
        'X-Amz-Algorithm': 'AWS4-HMAC-SHA256', 'X-Amz-Credential': f"{env['S3_ACCESS']}/{scope}", 'X-Amz-Date': stamp,
        'X-Amz-Expires': '3600', 'X-Amz-SignedHeaders': 'host'}.items()))
    canonical = '\n'.join([method, path, query, f'host:{end.netloc}\n', 'host', 'UNSIGNED-PAYLOAD'])
    text = '\n'.join(['AWS4-HMAC-SHA256', stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ('AWS4' + env['S3_SECRET']).encode()
    for part in (stamp[:8], region, 's3', 'aws4_request'):
        key = mac(key, part)
    return f"{env['S3_ENDPOINT']}{path}?{query}&X-Amz-Signature={mac(key, text).hex()}"


def main(args):
    if args[0] == 'url':
        print(presigned(args[1], args[2]))
        return 0
    method, target, body, fields = args[0], args[1], b'', {}
    for option, value in zip(args[2::2], args[3::2]):
        if option == '-H':
            name, _, text = value.partition(':')
            fields[name] = text.strip()
        elif option == '-d':
            body = value.encode()
        elif option == '-f':
            with open(value, 'rb') as file:
                body = file.read()
    status, head, answer = request(method, target, body, fields)
    code = re.search(rb'<Code>([^<]*)', answer)
    print(status, code.group(1).decode() if code else '', file=sys.stderr)
    if method == 'HEAD':
        answer = ''.join(f'{k}: {v}\n' for k, v in sorted(head.items())).encode()
    sys.stdout.buffer.write(answer)
    return 0 if 200 <= status < 300 else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
