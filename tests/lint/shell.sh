#!/usr/bin/env bash
# What this is: shellcheck over every script.
# Rests on: shellcheck.
# Does not: run one.
set -euo pipefail
shopt -s nullglob globstar
# SC2154, SC2034: cases are given RDBTOOL, DATA, TESTS, B by the runner. SC1091: what they source is checked by itself.
cases=(tests/cli/**/*.sh tests/live/**/*.sh tests/long/**/*.sh tests/power/**/*.sh)
scripts=(tests/*.sh tests/lint/*.sh tests/demo/*.sh tests/bench/*.sh .ci/run .ci/deps)
[ ${#cases[@]} = 0 ] || printf '%s\0' "${cases[@]}" |
    xargs -0 -n 40 -P "${JOBS:-2}" shellcheck -s bash -e SC2154,SC2034,SC1090,SC1091
shellcheck -e SC1091 "${scripts[@]}"
