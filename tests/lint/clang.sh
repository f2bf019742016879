#!/usr/bin/env bash
# What this is: the other compiler's warnings: every C file through clang with the Makefile's flags.
# Rests on: clang, $WARN, $PKG_CFLAGS.
# Does not: make code.
set -euo pipefail
shopt -s nullglob globstar
# shellcheck disable=SC2086 # lists of words
printf '%s\0' lib/*/*.c cli/*.c rdbtool/*.c aoftool/*.c backupd/*.c tests/**/*.c |
    xargs -0 -n 10 -P "${JOBS:-2}" clang -fsyntax-only -std=c11 -D_GNU_SOURCE $WARN -O1 -pthread \
        -I. -Ilib -Ilib/include -Itests $PKG_CFLAGS
