/* A ready configuration of mosquitto below a node: <home>/mqtt. */
#ifndef RS_CLI_BROKER_H
#define RS_CLI_BROKER_H

#include "base/base.h"

/* Makes mosquitto.conf, acl, an empty list of revoked certificates, and the certificates of an authority, the broker (of the host
 * names, with commas) and the node. errors  RS_EXISTS when there is one */
enum rs_code broker_make(const char *home, const char *hosts, struct rs_error *err);
/* The client certificate of a device: <home>/mqtt/devices/NAME.pem and NAME.key. errors  RS_USAGE, RS_EXISTS, RS_NOT_FOUND */
enum rs_code broker_certify(const char *home, const char *device, struct rs_error *err);

/* The certificate of a device is revoked: in <home>/mqtt/crl.pem. errors  RS_NOT_FOUND: it has none here */
enum rs_code broker_revoke(const char *home, const char *device, struct rs_error *err);

#endif
