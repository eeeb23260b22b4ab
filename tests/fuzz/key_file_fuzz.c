/* Key files: whatever lies there, parsing ends with a code and leaves no output behind unless
 * it succeeds. Opened by an unlock file, since Argon2id would make each try cost 0.1 s. */
#include <stdlib.h>

#include "crypto/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t unlock_bytes[32] = {1};
	const struct rs_unlock unlock = {.unlock_file = {unlock_bytes, sizeof(unlock_bytes)}};
	struct rs_buffer out;
	struct rs_error err;

	rs_buffer_init(&out, RS_KEY_FILE_PAYLOAD_MAX);
	if (rs_key_file_parse(rs_bytes_of(data, size), &unlock, &out, &err) != RS_OK && out.size != 0)
		abort();
	rs_secret_buffer_finish(&out);
	return 0;
}
