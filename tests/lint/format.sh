#!/usr/bin/env bash
# What this is: clang-format over the C files; with --fix it rewrites them.
# Rests on: clang-format, .clang-format.
# Does not: touch generated files.
set -euo pipefail
shopt -s nullglob globstar
mode=(--dry-run -Werror --ferror-limit=3)
[ "${1:-}" != --fix ] || mode=(-i)
printf '%s\0' lib/**/*.[ch] cli/*.[ch] rdbtool/*.[ch] aoftool/*.[ch] backupd/*.[ch] tests/**/*.[ch] tests/**/*.cc |
    xargs -0 -n 20 -P "${JOBS:-2}" clang-format "${mode[@]}"
