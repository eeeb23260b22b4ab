/* An erasure reaches what lies in quarantine, as far as that says whose it is: by PatientID and issuer in the data set, and by
 * the study of one that does. */
#include <string.h>

#include "dicom/dicom.h"
#include "held.h"

#define HEADER_MAX ((size_t)16 << 20) /* before the pixels */
#define STUDIES_MAX ((size_t)4096)
#define IDS_MAX ((size_t)RS_QUARANTINE_COUNT_MAX)

struct forgetting {
	struct devices *devices;
	const char *issuer, *subject;
	uint64_t *ids;
	bool *is_others; /* it names somebody else */
	size_t count;
	struct rs_digest *studies; /* hashes of the UIDs of what was removed */
	size_t study_count;
	struct rs_quarantine_forgotten told;
};

static void forgetting_finish(struct forgetting *forgetting)
{
	rs_free(forgetting->ids);
	rs_free(forgetting->is_others);
	rs_free(forgetting->studies);
}

/* Until what stands before the pixels can be read. */
struct heading {
	struct rs_buffer file;
	struct rs_dicom dicom;
	bool is_read;
};

static enum rs_code read_heading(void *context, struct rs_bytes piece, struct rs_error *err)
{
	struct heading *heading = context;
	rs_buffer_append_bytes(&heading->file, piece);
	RS_TRY(rs_buffer_check(&heading->file, "a data set's head", err));
	heading->is_read = rs_dicom_parse_header(rs_buffer_bytes(&heading->file), &heading->dicom, NULL) ==
	                   RS_OK;
	return heading->is_read ? rs_error_set(err, RS_CANCELLED, "enough was read") : RS_OK;
}

enum whose { NOBODYS, OTHERS, THEIRS };

static enum whose judge_heading(const struct forgetting *forgetting, const struct heading *heading)
{
	struct rs_dicom_metadata metadata;
	if (!heading->is_read || rs_dicom_metadata(&heading->dicom, &metadata, NULL) != RS_OK ||
	    metadata.patient_id.size == 0)
		return NOBODYS;
	return rs_str_equal_text(metadata.patient_id, forgetting->subject) &&
	                       rs_str_equal_text(metadata.issuer_of_patient_id, forgetting->issuer)
	               ? THEIRS
	               : OTHERS;
}

static void put_text(char out[static 65], struct rs_str text)
{
	size_t size = text.size < 64 ? text.size : 64;
	memcpy(out, text.data, size);
	out[size] = '\0';
}

/* What cannot be read says nothing. */
static enum whose judge_content(const struct forgetting *forgetting, const struct held *held)
{
	struct heading heading = {.is_read = false};
	char uids[3][65];
	enum whose whose = NOBODYS;
	put_text(uids[0], held->envelope.sop_class);
	put_text(uids[1], held->envelope.sop_instance);
	put_text(uids[2], held->envelope.transfer_syntax);
	rs_buffer_init(&heading.file, HEADER_MAX);
	if (rs_dicom_put_meta(uids[0], uids[1], uids[2], NULL, &heading.file, NULL) == RS_OK) {
		(void)held_read(forgetting->devices, held, read_heading, &heading, NULL);
		whose = judge_heading(forgetting, &heading);
	}
	rs_dicom_finish(&heading.dicom);
	rs_buffer_finish(&heading.file);
	return whose;
}

static bool has_study(const struct forgetting *forgetting, const struct rs_digest *study)
{
	for (size_t i = 0; i < forgetting->study_count; i++)
		if (rs_digest_equal(&forgetting->studies[i], study))
			return true;
	return false;
}

static enum rs_code forget(struct forgetting *forgetting, uint64_t id, const struct held *held,
                           struct rs_error *err)
{
	struct rs_statement *drop = devices_sql(forgetting->devices, DROP_QUARANTINED);
	rs_statement_bind_i64(drop, 1, (int64_t)id);
	RS_TRY(rs_statement_run(drop, err));
	forgetting->told.removed++;
	if (!held->has_object)
		return RS_OK;
	enum rs_code code = rs_vault_remove(forgetting->devices->vault, &held->cid, err);
	return code == RS_NOT_FOUND ? RS_OK : code;
}

/* by_content: else by the studies that were found by content. */
static enum rs_code look(struct forgetting *forgetting, size_t index, bool by_content, struct rs_error *err)
{
	struct held held RS_CLEANUP(held_finish) = {.has_object = false};
	struct rs_digest study;
	uint64_t id = forgetting->ids[index];
	enum rs_code code = held_find(forgetting->devices, id, &held, err);
	if (code == RS_NOT_FOUND)
		return RS_OK; /* gone by now */
	RS_TRY(code);
	rs_sha256(rs_bytes_of_str(held.envelope.study), &study);
	if (!by_content) {
		if (has_study(forgetting, &study))
			return forget(forgetting, id, &held, err);
		forgetting->told.unattributed++;
		return RS_OK;
	}
	enum whose whose = held.has_object ? judge_content(forgetting, &held) : NOBODYS;
	forgetting->is_others[index] = whose != NOBODYS;
	if (whose != THEIRS)
		return RS_OK;
	if (forgetting->study_count < STUDIES_MAX && !has_study(forgetting, &study))
		forgetting->studies[forgetting->study_count++] = study;
	return forget(forgetting, id, &held, err);
}

static enum rs_code list(struct forgetting *forgetting, struct rs_error *err)
{
	struct rs_statement *each = devices_sql(forgetting->devices, EACH_QUARANTINED);
	for (bool found = true; forgetting->count < IDS_MAX;) {
		RS_TRY(rs_statement_step(each, &found, err));
		if (!found)
			break;
		forgetting->ids[forgetting->count++] = (uint64_t)rs_statement_i64(each, 0);
	}
	rs_statement_reset(each);
	return RS_OK;
}

static enum rs_code forget_all(struct forgetting *forgetting, struct rs_error *err)
{
	forgetting->ids = rs_allocate_array(IDS_MAX, sizeof *forgetting->ids);
	forgetting->is_others = rs_allocate_array(IDS_MAX, sizeof *forgetting->is_others);
	forgetting->studies = rs_allocate_array(STUDIES_MAX, sizeof *forgetting->studies);
	if (!forgetting->ids || !forgetting->is_others || !forgetting->studies)
		return rs_error_memory(err, IDS_MAX, "the quarantine's list");
	RS_TRY(list(forgetting, err));
	for (size_t i = 0; i < forgetting->count; i++)
		RS_TRY(look(forgetting, i, true, err));
	for (size_t i = 0; i < forgetting->count; i++)
		if (!forgetting->is_others[i])
			RS_TRY(look(forgetting, i, false, err));
	return forgetting->told.removed ? rs_store_scrub(forgetting->devices->store, err) : RS_OK;
}

enum rs_code rs_quarantine_forget(struct rs_node *node, const struct rs_actor *actor, const char *issuer,
                                  const char *patient_id, struct rs_quarantine_forgotten *out,
                                  struct rs_error *err)
{
	struct devices devices RS_CLEANUP(devices_close) = {.node = NULL};
	struct forgetting forgetting RS_CLEANUP(forgetting_finish) = {
		.devices = &devices, .issuer = issuer, .subject = patient_id};
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	*out = forgetting.told;
	RS_TRY(node_path(node, "devices.sqlite", &path, err));
	if (!rs_path_exists(node->world, path))
		return RS_OK;
	if (actor)
		RS_TRY(held_check_permitted(node, actor, err));
	RS_TRY(devices_open(node, RS_STORE_WRITE, &devices, err));
	enum rs_code code = forget_all(&forgetting, err);
	*out = forgetting.told;
	return code;
}
