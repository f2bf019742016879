/* What this is: the entry point every fuzz target defines.
 * Rests on: nothing.
 * Does not: need libFuzzer: driver.c calls it as well. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A violated property: what the fuzzer, or the driver's caller, sees as a crash. */
#define MUST(condition)            \
    do {                           \
        if (!(condition)) abort(); \
    } while (0)

#endif
