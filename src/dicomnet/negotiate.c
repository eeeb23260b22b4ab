/* Presentation contexts: what is taken of what a peer proposes, and what is left of what was proposed to a peer. */
#include <string.h>

#include "dicomnet/dicomnet.h"

#define DICOM_ROOT "1.2.840.10008."
#define STORAGE_ROOT "1.2.840.10008.5.1.4.1.1."
#define QUERY_ROOT "1.2.840.10008.5.1.4.1.2."

/* PS3.6 annex A: below the storage root, but no storage. */
static const char *const not_storage[] = {
	"1.2.840.10008.5.1.4.1.1.200.4", "1.2.840.10008.5.1.4.1.1.200.5", "1.2.840.10008.5.1.4.1.1.200.6",
	"1.2.840.10008.5.1.4.1.1.201.2", "1.2.840.10008.5.1.4.1.1.201.3", "1.2.840.10008.5.1.4.1.1.201.4",
	"1.2.840.10008.5.1.4.1.1.201.5", "1.2.840.10008.5.1.4.1.1.201.6",
};
/* Storage beyond that root: beams, brachytherapy, hanging protocols, palettes, implants, hardcopies. */
static const char *const also_storage[] = {
	"1.2.840.10008.5.1.4.34.1", "1.2.840.10008.5.1.4.34.7", "1.2.840.10008.5.1.4.34.10",
	"1.2.840.10008.5.1.4.38.1", "1.2.840.10008.5.1.4.39.1", "1.2.840.10008.5.1.4.43.1",
	"1.2.840.10008.5.1.4.44.1", "1.2.840.10008.5.1.4.45.1", "1.2.840.10008.5.1.1.27",
	"1.2.840.10008.5.1.1.29",   "1.2.840.10008.5.1.1.30",
};
/* PS3.4 annex C: patient root, study root. */
static const struct {
	const char *uid;
	enum rs_service service;
} others[] = {
	{RS_SOP_VERIFICATION, RS_SERVICE_VERIFICATION},
	{RS_SOP_COMMITMENT, RS_SERVICE_COMMITMENT},
	{QUERY_ROOT "1.1", RS_SERVICE_FIND},
	{QUERY_ROOT "1.2", RS_SERVICE_MOVE},
	{QUERY_ROOT "1.3", RS_SERVICE_GET},
	{QUERY_ROOT "2.1", RS_SERVICE_FIND},
	{QUERY_ROOT "2.2", RS_SERVICE_MOVE},
	{QUERY_ROOT "2.3", RS_SERVICE_GET},
};

static bool listed(const char *const *list, size_t count, struct rs_str uid)
{
	for (size_t i = 0; i < count; i++)
		if (rs_str_equal_text(uid, list[i]))
			return true;
	return false;
}

unsigned rs_service_of(struct rs_str sop_class)
{
	for (size_t i = 0; i < RS_COUNT(others); i++)
		if (rs_str_equal_text(sop_class, others[i].uid))
			return others[i].service;
	if (!rs_str_starts_with(sop_class, DICOM_ROOT))
		return RS_SERVICE_STORAGE_PRIVATE;
	bool is_storage = rs_str_starts_with(sop_class, STORAGE_ROOT)
	                          ? !listed(not_storage, RS_COUNT(not_storage), sop_class)
	                          : listed(also_storage, RS_COUNT(also_storage), sop_class);
	return is_storage ? RS_SERVICE_STORAGE : 0;
}

static bool takes_syntax(const struct rs_acceptance *policy, unsigned service, struct rs_str syntax)
{
	struct rs_str rest = rs_str_from(policy->transfer_syntaxes), one;
	if (!(service & (RS_SERVICE_STORAGE | RS_SERVICE_STORAGE_PRIVATE)))
		return rs_str_equal_text(syntax, RS_SYNTAX_IMPLICIT_LE) ||
		       rs_str_equal_text(syntax, RS_SYNTAX_EXPLICIT_LE);
	while (rs_str_split(&rest, ',', &one))
		if (rs_str_equal(rs_str_trim(one), syntax))
			return true;
	return policy->transfer_syntaxes == NULL;
}

static const struct rs_role_selection *role_of(const struct rs_associate *associate, struct rs_str sop_class)
{
	for (size_t i = 0; i < associate->role_count; i++)
		if (rs_str_equal(associate->roles[i].sop_class, sop_class))
			return &associate->roles[i];
	return NULL;
}

static void copy_uid(struct rs_str uid, char out[static RS_UID_SIZE])
{
	size_t size = uid.size < RS_UID_SIZE ? uid.size : RS_UID_SIZE - 1;
	if (size)
		memcpy(out, uid.data, size);
	out[size] = '\0';
}

/* Who asks by C-GET provides storage itself; nothing else is served the other way round. */
static bool is_turned(const struct rs_role_selection *asked, unsigned service,
                      const struct rs_acceptance *policy)
{
	return asked && asked->scp && (service & (RS_SERVICE_STORAGE | RS_SERVICE_STORAGE_PRIVATE)) &&
	       (policy->services & RS_SERVICE_GET);
}

/* The answer to one proposal, and the context when it is taken. */
static void answer_one(const struct rs_presentation *proposed, const struct rs_role_selection *asked,
                       const struct rs_acceptance *policy, struct rs_presentation *answer,
                       struct rs_contexts *contexts)
{
	const unsigned service = rs_service_of(proposed->abstract_syntax);
	const bool served = (service & policy->services) || is_turned(asked, service, policy);
	struct rs_str syntax;
	size_t position = 0;
	*answer = (struct rs_presentation){.id = proposed->id,
	                                   .result = served ? RS_PRESENTATION_NO_TRANSFER_SYNTAX
	                                                    : RS_PRESENTATION_NO_ABSTRACT_SYNTAX};
	while (rs_presentation_next(proposed, &position, &syntax)) {
		/* The item as it came, with its header of four bytes; a refusal shows the first. */
		size_t item = (size_t)((const uint8_t *)syntax.data - proposed->transfer_syntaxes.data) - 4;
		struct rs_bytes whole = {proposed->transfer_syntaxes.data + item, position - item};
		bool taken = served && takes_syntax(policy, service, syntax);
		if (taken || answer->transfer_syntaxes.size == 0)
			answer->transfer_syntaxes = whole;
		if (!taken)
			continue;
		struct rs_context *context = &contexts->items[contexts->count++];
		*context = (struct rs_context){.id = proposed->id, .service = service};
		copy_uid(proposed->abstract_syntax, context->sop_class);
		copy_uid(syntax, context->transfer_syntax);
		answer->result = RS_PRESENTATION_ACCEPTED;
		return;
	}
}

/* A role that is not asked for is SCU of the requestor. */
static void answer_roles(const struct rs_associate *request, const struct rs_acceptance *policy,
                         struct rs_associate *answer, struct rs_contexts *contexts)
{
	for (size_t i = 0; i < request->role_count; i++) {
		const struct rs_role_selection *asked = &request->roles[i];
		unsigned service = rs_service_of(asked->sop_class);
		answer->roles[answer->role_count++] = (struct rs_role_selection){
			asked->sop_class, asked->scu && (service & policy->services),
			is_turned(asked, service, policy)};
	}
	for (size_t i = 0; i < contexts->count; i++) {
		const struct rs_role_selection *role = role_of(answer,
		                                               rs_str_from(contexts->items[i].sop_class));
		contexts->items[i].peer_is_scp = role && role->scp;
	}
}

static enum rs_code contexts_allocate(size_t count, struct rs_contexts *out, struct rs_error *err)
{
	*out = (struct rs_contexts){rs_allocate_array(count, sizeof *out->items), 0};
	return out->items ? RS_OK : rs_error_memory(err, count * sizeof *out->items, "presentation contexts");
}

enum rs_code rs_negotiate(const struct rs_associate *request, const struct rs_acceptance *policy,
                          struct rs_associate *out_answer, struct rs_contexts *out_contexts,
                          struct rs_error *err)
{
	RS_TRY(contexts_allocate(request->context_count, out_contexts, err));
	memset(out_answer, 0, sizeof *out_answer);
	out_answer->protocol = 1;
	memcpy(out_answer->called, request->called, sizeof out_answer->called);
	memcpy(out_answer->calling, request->calling, sizeof out_answer->calling);
	out_answer->application_context = request->application_context;
	out_answer->implementation_uid = RS_STR(RS_DICOM_IMPLEMENTATION_UID);
	out_answer->implementation_version = RS_STR(RS_DICOM_IMPLEMENTATION_VERSION);
	out_answer->max_length = RS_PDU_SIZE_OFFERED;
	for (size_t i = 0; i < request->context_count; i++)
		answer_one(&request->contexts[i], role_of(request, request->contexts[i].abstract_syntax),
		           policy, &out_answer->contexts[out_answer->context_count++], out_contexts);
	answer_roles(request, policy, out_answer, out_contexts);
	return RS_OK;
}

static enum rs_code agree(const struct rs_associate *request, const struct rs_presentation *answer,
                          struct rs_contexts *out, struct rs_error *err)
{
	struct rs_str syntax;
	size_t position = 0;
	if (answer->result != RS_PRESENTATION_ACCEPTED)
		return RS_OK;
	for (size_t i = 0; i < request->context_count; i++) {
		const struct rs_presentation *asked = &request->contexts[i];
		if (asked->id != answer->id)
			continue;
		if (!rs_presentation_next(answer, &position, &syntax))
			break;
		struct rs_context *context = &out->items[out->count++];
		*context = (struct rs_context){.id = asked->id,
		                               .service = rs_service_of(asked->abstract_syntax)};
		copy_uid(asked->abstract_syntax, context->sop_class);
		copy_uid(syntax, context->transfer_syntax);
		return RS_OK;
	}
	return rs_error_set(
		err, RS_MALFORMED,
		"the peer's answer accepts context %u, which was not proposed, or says no transfer "
		"syntax for it",
		answer->id);
}

enum rs_code rs_contexts_agreed(const struct rs_associate *request, const struct rs_associate *answer,
                                struct rs_contexts *out, struct rs_error *err)
{
	struct rs_contexts agreed RS_CLEANUP(rs_contexts_finish) = {0};
	RS_TRY(contexts_allocate(answer->context_count, &agreed, err));
	for (size_t i = 0; i < answer->context_count; i++)
		RS_TRY(agree(request, &answer->contexts[i], &agreed, err));
	*out = agreed;
	agreed.items = NULL;
	return RS_OK;
}

void rs_contexts_finish(struct rs_contexts *contexts)
{
	if (!contexts)
		return;
	rs_free(contexts->items);
	*contexts = (struct rs_contexts){NULL, 0};
}

const struct rs_context *rs_contexts_find(const struct rs_contexts *contexts, uint8_t id)
{
	for (size_t i = 0; i < contexts->count; i++)
		if (contexts->items[i].id == id)
			return &contexts->items[i];
	return NULL;
}
