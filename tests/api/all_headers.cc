/* What this is: every public header in one C++ file (the list is made from the tree).
 * Rests on: all_headers.inc, written by the Makefile.
 * Does not: call more than one function; test_embed.c does. */
#include "all_headers.inc"

int main()
{
    return rsp_version()[0] == '0' + RSP_VERSION_MAJOR ? 0 : 1;
}
