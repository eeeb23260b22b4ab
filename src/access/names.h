/* Names that a node keeps for members' keys, encrypted in keys/names.box. */
#ifndef RS_ACCESS_NAMES_H
#define RS_ACCESS_NAMES_H

#include "node/node_parts.h"
#include "access/access_people.h"

#define SALT_SIZE 32

struct kept_name {
	struct rs_member_key key;
	uint8_t salt[SALT_SIZE];
	char text[RS_LOCAL_NAME_MAX + 1];
};
struct names {
	struct kept_name *list;
	size_t count;
};
void names_finish(struct names *names); /* wipes; accepts zeroed memory */
enum rs_code names_read(const struct rs_node *node, struct names *out, struct rs_error *err);
const struct kept_name *names_find(const struct names *names, const struct rs_member_key *key);
/* HMAC-SHA-256(salt, "radseal member name v1" 0x00 ‖ key ‖ name). */
void name_label(const struct kept_name *name, struct rs_digest *out);

#endif
