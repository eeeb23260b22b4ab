/* Broken glass, as others may see it. */
#include "contract/contract_glass.h"

#include <string.h>

#include "rows.h"

struct showing {
	rs_glass_visit *visit;
	void *visitor;
};

static enum rs_code show(void *visitor, struct rs_bytes key, struct rs_bytes value, struct rs_error *err)
{
	const struct showing *showing = visitor;
	struct rs_glass out = {.time_ms = 0};
	struct glass glass;
	if (key.size != 1 + RS_KEY_SIZE + RS_TRANSACTION_ID_SIZE)
		return rs_error_set(err, RS_ALTERED, "the state's row of a broken glass is not one");
	RS_TRY(glass_decode(value, &glass, err));
	memcpy(out.member.bytes, key.data + 1, RS_KEY_SIZE);
	memcpy(out.id, key.data + 1 + RS_KEY_SIZE, RS_TRANSACTION_ID_SIZE);
	memcpy(out.organisation, glass.organisation.text, glass.organisation.size);
	out.subject = glass.subject;
	out.time_ms = glass.time_ms;
	out.outcome = (unsigned)glass.outcome;
	return showing->visit(showing->visitor, &out, err);
}

enum rs_code rs_contract_each_glass(const struct rs_state *state, rs_glass_visit *visit, void *visitor,
                                    struct rs_error *err)
{
	struct showing showing = {visit, visitor};
	return state->each(state->context, rs_bytes_of("G", 1), show, &showing, err);
}
