/* Hostile tokens, sets of keys and rules about them: the first byte says which. */
#include <assert.h>
#include <string.h>

#include "account/account_identities.h"

static const char own_keys[] = "{\"keys\": [{\"kty\": \"OKP\", \"crv\": \"Ed25519\", \"kid\": \"d\","
			       "\"x\": \"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rs_jwt_expectation expectation = {"i", "a", (uint64_t)1800000000000, 60000};
	struct rs_jwks *keys = NULL;
	struct rs_identities *identities = NULL;
	struct rs_error err = {.message = ""};
	const struct rs_identity *identity;
	json_t *claims = NULL;
	if (size == 0)
		return 0;
	struct rs_bytes rest = {data + 1, size - 1};
	if (*data == 'k' && rs_jwks_parse(rest, &keys, &err) == RS_OK)
		assert(rs_jwks_count(keys) > 0);
	if (*data == 'r' &&
	    rs_identities_parse(rs_world_system(), rest, NULL, NULL, &identities, &err) == RS_OK)
		(void)rs_identities_certificate(identities, rest, &identity, &err);
	if (*data == 't' && rs_jwks_parse(rs_bytes_of(own_keys, strlen(own_keys)), &keys, &err) == RS_OK)
		assert(rs_jwt_check(rs_str_of_bytes(rest), keys, &expectation, &claims, &err) != RS_OK);
	rs_jwks_free(keys);
	rs_identities_free(identities);
	return 0;
}
