/* Sockets by address, and their names. */
#ifndef RS_NET_SOCKET_H
#define RS_NET_SOCKET_H

#include "net/net_http.h"

enum rs_code socket_listen(const char *address, int *out, struct rs_error *err);
/* Connected, with this time for every read and write. */
enum rs_code socket_connect(struct rs_str address, unsigned timeout_ms, int *out, struct rs_error *err);

#endif
