/* Subjects in the state, as others may see them. */
#include "contract/contract_subject.h"

#include <string.h>

#include "rows.h"

static void name_copy(const struct name *name, char out[static RS_ORGANISATION_NAME_MAX + 1])
{
	memcpy(out, name->text, name->size);
	out[name->size] = '\0';
}

enum rs_code rs_contract_subject(const struct rs_state *state, const struct rs_digest *token,
                                 struct rs_subject_facts *out, struct rs_error *err)
{
	struct subject subject;
	RS_TRY(subject_get(state, token, &subject, err));
	*out = (struct rs_subject_facts){
		.patient = subject.patient, .erased = subject.erased, .objects = subject.objects};
	name_copy(&subject.organisation, out->custodian);
	return RS_OK;
}
