#!/usr/bin/env bash
# What this is: mandoc's own lint over every page.
# Rests on: mandoc.
# Does not: read the text.
set -euo pipefail
shopt -s nullglob
pages=(man/*.[1-8])
[ ${#pages[@]} != 0 ] || { echo 'no man pages' && exit 1; }
mandoc -Tlint -W warning "${pages[@]}"
