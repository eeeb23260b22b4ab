/* Every bit of a receipt, flipped one after another, inside one process: `verifier_flips KEY RECEIPT [WITNESS-KEY…]`.
 * Prints how many were refused; ends with 1 when one was not, or the receipt itself was. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "verify.h"

static uint8_t receipt[RECEIPT_SIZE_MAX];

static bool read_receipt(const char *path, struct span *out)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		return false;
	*out = (struct span){receipt, fread(receipt, 1, sizeof receipt, file)};
	fclose(file);
	return true;
}

static bool read_trust(int count, char **arguments, struct trust *out, struct reason *why)
{
	if (!parse_key(span_of_text(arguments[1]), KEY_LOG, &out->log, why))
		return false;
	for (int i = 3; i < count; i++)
		if (!parse_key(span_of_text(arguments[i]), KEY_WITNESS, &out->witnesses[out->witness_count++],
		               why))
			return false;
	out->quorum = out->witness_count;
	return true;
}

int main(int count, char **arguments)
{
	struct trust trust = {.quorum = 0};
	struct span text;
	struct facts facts;
	struct reason why = {"usage"};
	unsigned long refused = 0, missed = 0;
	if (count < 3 || count > 3 + WITNESSES_MAX || sodium_init() < 0 ||
	    !read_trust(count, arguments, &trust, &why) || !read_receipt(arguments[2], &text) ||
	    !check_receipt(text, &trust, &facts, &why)) {
		printf("%s\n", why.text);
		return 1;
	}
	for (size_t bit = 0; bit < 8 * text.size; bit++) {
		receipt[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (check_receipt(text, &trust, &facts, &why)) {
			printf("bit %zu of byte %zu is not noticed\n", bit % 8, bit / 8);
			missed++;
		} else {
			refused++;
		}
		receipt[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	printf("%lu\n", refused);
	return missed > 0;
}
