/* Hostile transactions: parsed strictly, and never valid without the signer's key. */
#include <assert.h>

#include "ledger/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_act act;
	struct rs_error err = {0};
	if (rs_transaction_parse(rs_bytes_of(data, size), &act, &err) == RS_OK)
		assert(rs_transaction_type_name(act.type)[0]);
	else
		assert(err.message[0]);
	(void)rs_transaction_verify(rs_bytes_of(data, size), &act, &err);
	struct rs_record record;
	(void)rs_record_decode(rs_bytes_of(data, size), &record, &err);
	return 0;
}
