#!/usr/bin/env python3
"""What this is: what hands out temporary keys to instances and containers, for a case: _roles.py FOLDER. FOLDER/keys holds
    key, secret and token in three lines; FOLDER/port gets the port, FOLDER/log a line for each question.
Rests on: python3.
Does not: listen anywhere but on loopback, or know who asks."""
import datetime
import http.server
import json
import os
import sys

folder = sys.argv[1]


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, text, status=200):
        with open(os.path.join(folder, 'log'), 'a') as log:
            log.write(f'{self.command} {self.path} {status}\n')
        self.send_response(status)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def keys(self):
        with open(os.path.join(folder, 'keys')) as file:
            key, secret, token = file.read().split()
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        self.answer(json.dumps({'Code': 'Success', 'Type': 'AWS-HMAC', 'AccessKeyId': key, 'SecretAccessKey': secret,
                                'Token': token, 'Expiration': end.strftime('%Y-%m-%dT%H:%M:%SZ')}))

    def do_PUT(self):
        known = self.path == '/latest/api/token' and self.headers.get('x-aws-ec2-metadata-token-ttl-seconds')
        self.answer('session-of-the-instance' if known else '', 200 if known else 400)

    def do_GET(self):
        roles = '/latest/meta-data/iam/security-credentials/'
        if self.path == '/container' and self.headers.get('authorization') == 'token-of-the-container':
            self.keys()
        elif self.headers.get('x-aws-ec2-metadata-token') != 'session-of-the-instance':
            self.answer('', 401)
        elif self.path == roles:
            self.answer('a-role\n')
        elif self.path == roles + 'a-role':
            self.keys()
        else:
            self.answer('', 404)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
with open(os.path.join(folder, 'new'), 'w') as file:
    file.write(str(server.server_port))
os.rename(os.path.join(folder, 'new'), os.path.join(folder, 'port'))
server.serve_forever()
