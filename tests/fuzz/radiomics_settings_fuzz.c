/* Hostile parameter files: what is accepted passes the check, has one deterministic encoding that another
 * reading of the same bytes gives again, and what is refused is refused by a sentence and changes nothing. */
#include <stdlib.h>
#include <string.h>

#include "radiomics/radiomics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ENCODING_MAX ((size_t)1 << 20)

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* Every byte of the settings is written before, so that a field which is left as it was shows up. */
static enum rs_code encode_file(struct rs_bytes file, int before, struct rs_buffer *out)
{
	struct rs_radiomics_settings settings, untouched;
	struct rs_error err = {0};
	memset(&settings, before, sizeof settings);
	memcpy(&untouched, &settings, sizeof settings);
	enum rs_code code = rs_radiomics_settings_parse(file, &settings, &err);
	if (code != RS_OK) {
		require(err.code == code && err.message[0] != '\0');
		require(memcmp(&settings, &untouched, sizeof settings) == 0);
		return code;
	}
	require(rs_radiomics_settings_check(&settings, &err) == RS_OK);
	require(rs_radiomics_settings_encode(&settings, out, &err) == RS_OK);
	require(rs_cbor_check(rs_buffer_bytes(out), &err) == RS_OK);
	return RS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_bytes file = rs_bytes_of(data, size);
	struct rs_buffer first RS_CLEANUP(rs_buffer_finish) = {0}, second RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&first, ENCODING_MAX);
	rs_buffer_init(&second, ENCODING_MAX);
	enum rs_code code = encode_file(file, 0, &first);
	require(code == encode_file(file, 0x55, &second));
	require(rs_bytes_equal(rs_buffer_bytes(&first), rs_buffer_bytes(&second)));
	return 0;
}
