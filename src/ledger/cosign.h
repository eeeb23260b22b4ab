/* Signature lines of a checkpoint, one by one. */
#ifndef RS_LEDGER_COSIGN_H
#define RS_LEDGER_COSIGN_H

#include "ledger/ledger_witness.h"
#include "note.h"

struct signature {
	struct rs_str line, name;                 /* line with its end */
	uint8_t bytes[4 + 8 + RS_SIGNATURE_SIZE]; /* id, time of a cosignature, Ed25519 */
	size_t size;                              /* 0: of a form and so of a key that is not known here */
};
bool signature_is_by(const struct signature *signature, const struct rs_note_key *key);
/* Of a signature that is by the key: whether it is one of the text. */
bool signature_holds(const struct signature *signature, struct rs_str body, const struct rs_note_key *key);
typedef enum rs_code signature_visit(void *context, const struct signature *signature, struct rs_error *err);
enum rs_code each_signature(struct rs_str lines, signature_visit *visit, void *context, struct rs_error *err);

#endif
