/* Hostile receipts and keys for the standalone verifier. Signatures would keep a fuzzer out of all that lies behind them, so
 * the parts are called one by one, too: that is why the source is included and not linked. */
#include <assert.h>
#include <stdlib.h>

#include "../../verify/receipt.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char vkey[] = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
	struct span input = {data, size};
	struct trust trust = {.quorum = 0};
	struct facts facts = {.size = 0};
	struct opening opening = {.instance = 0};
	struct entry entry = {.time_ms = 0};
	struct key key;
	struct reason why = {""};
	struct proof *proof = calloc(1, sizeof *proof);
	assert(proof && sodium_init() >= 0);
	assert(parse_key(span_of_text(vkey), KEY_LOG, &trust.log, &why));
	assert(!check_receipt(input, &trust, &facts, &why) && why.text[0]);
	(void)parse_key(input, KEY_WITNESS, &key, &why);
	(void)check_checkpoint(input, &trust, &facts.checkpoint, &why);
	(void)parse_record(input, &facts, &why);
	(void)check_entry(input, &entry, &why);
	if (parse_proof(input, proof, &why))
		input = (struct span){proof->extra, proof->extra_size};
	if (parse_opening(input, &opening, &why) && check_entry(opening.entry, &entry, &why))
		(void)check_instance(&opening, &entry, &why);
	free(proof);
	return 0;
}
