/* What this is: the client that a remote store's options ask for.
 * Rests on: remote.h.
 * Does not: speak to a server. */
#include "store/remote.h"

#include <string.h>

int remote_client(const struct rsp_env *env, const struct rsp_store_remote *o, struct net_client **ret)
{
    struct rsp_store_remote full = {0};
    struct net_options net = {0};
    if (o) memcpy(&full, o, o->size && o->size < sizeof full ? o->size : sizeof full);
    net.cacert = full.cacert;
    net.cacertdir = full.cacertdir;
    net.cert = full.cert;
    net.key = full.cert_key;
    net.proxy = full.proxy;
    net.no_proxy = full.no_proxy;
    net.connect_ms = full.connect_ms;
    net.stall_ms = full.stall_ms;
    net.up_rate = full.rate_up;
    net.down_rate = full.rate_down;
    net.tries = full.tries;
    net.cancel = full.cancel;
    return net_client_new(env, &net, ret);
}
