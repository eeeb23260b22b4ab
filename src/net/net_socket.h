/* TCP sockets by address: "127.0.0.1:104", "[::1]:104". */
#ifndef RS_NET_SOCKET_H
#define RS_NET_SOCKET_H

#include "base/base.h"

/* Does not block; the address may be one of IPv6 that takes IPv4, too ("[::]:104"). RS_USAGE, or RS_IO saying why. */
enum rs_code rs_socket_listen(const char *address, int *out, struct rs_error *err);
/* Of a socket that listens or is connected; 0 when unknown. */
unsigned rs_socket_port(int socket);
/* Connected, with this time for every read and write. */
enum rs_code rs_socket_connect(struct rs_str address, unsigned timeout_ms, int *out, struct rs_error *err);

#endif
