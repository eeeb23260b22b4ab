/* Whether an envelope is believed. */
#ifndef RS_DEVICES_JUDGE_H
#define RS_DEVICES_JUDGE_H

#include "contract/contract_people.h"
#include "store.h"

struct verdict {
	enum rs_distrust distrust;
	enum rs_acknowledged earlier; /* it was here before, with this outcome; 0: it was not */
};
/* A device as the ledger has it; RS_NOT_FOUND. */
typedef enum rs_code find_person(void *context, const struct rs_member_key *key, struct rs_person *out,
                                 struct rs_error *err);
/* Whether the ledger has a device of this key, in force now. */
enum rs_code judge_key(const struct rs_member_key *key, uint64_t now_ms, find_person *find, void *context,
                       enum rs_distrust *out, struct rs_error *err);
/* The envelope's signature is checked already. sender: as of rs_delivery_begin(). A name that nobody has becomes the key's. */
enum rs_code judge(struct devices *devices, const struct rs_envelope *envelope,
                   const struct rs_digest *digest, struct rs_str sender, find_person *find, void *context,
                   struct verdict *out, struct rs_error *err);

#endif
