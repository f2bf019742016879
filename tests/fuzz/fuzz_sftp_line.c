/* What this is: fuzz target: a line of a folder as an SFTP server has it; then the same bytes as a host key, a pin, a key file.
 * Rests on: fuzz.h, net/sftp_impl.h.
 * Does not: bring a driver. */
#include "fuzz.h"

#include <string.h>

#include "net/sftp_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    enum sftp_kind kind = SFTP_OTHER;
    struct rsp_span name = {0};
    char print[SFTP_PRINT_BYTES], *pin = malloc(n + 1);
    int rsa, locked;
    MUST(pin);
    if (!sftp_line(data, n, &kind, &name)) {
        MUST(name.p > data && name.p + name.n == data + n && name.p[-1] == ' ');
        MUST(!memchr(name.p, ' ', name.n) && !memchr(name.p, 0, name.n));
        MUST(kind == SFTP_FILE || kind == SFTP_FOLDER || kind == SFTP_OTHER);
    }
    sftp_print(data, n, print);
    MUST(strlen(print) == SFTP_PRINT_BYTES - 1 && sftp_pin_is(print, print) == 1);
    if (n) memcpy(pin, data, n);
    pin[n] = 0;
    MUST(sftp_pin_is(pin, print) <= 0);
    sftp_key_look(data, n, &rsa, &locked);
    free(pin);
    return 0;
}
