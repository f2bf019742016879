#!/usr/bin/env bash
# What this is: cppcheck over the library and the programs.
# Rests on: cppcheck.
# Does not: ask for style.
set -euo pipefail
shopt -s nullglob
cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,performance,portability -j "${JOBS:-2}" \
    -D_GNU_SOURCE -D__GNUC__ -I lib -I lib/include -I . --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
    --template='{file}:{line}: {severity}: {message} [{id}]' lib/*/*.c cli/*.c rdbtool/*.c aoftool/*.c backupd/*.c
