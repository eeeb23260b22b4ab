/* STOW-RS (PS3.18 section 10.5): instances as parts of one body, or one as the body, sealed while they come. The answer, which
 * names each of them, is given when all are durable or refused. */
#include <stdio.h>
#include <string.h>

#include "devices/devices.h"
#include "multipart.h"
#include "services.h"
#include "stow_metadata.h"

#define BODY_SIZE_MAX ((uint64_t)1 << 42)
#define PARTS_MAX ((size_t)65536)
#define FILE_MAX ((size_t)160 << 20) /* that is made of metadata and bulk data */
#define DICOM "application/dicom"
#define DICOM_JSON "application/dicom+json"
/* Failure reasons (PS3.18 table I.2-2, PS3.4 table B.2-1). */
#define REASON_PROCESSING 0x0110
#define REASON_NOT_AUTHORIZED 0x0124
#define REASON_OUT_OF_RESOURCES 0xA700
#define REASON_MISMATCH 0xA900
#define REASON_NOT_UNDERSTOOD 0xC000

struct part {
	struct part *next;
	struct storing *storing;
	struct rs_arrival_identity identity;
	enum rs_code code;
};

struct storing {
	struct request *request;
	char study[UID_SIZE]; /* "" for any */
	bool is_multipart;
	struct multipart multipart;
	struct metadata_body *metadata; /* the parts are no instances; NULL: they are */
	struct rs_arrival *arrival;     /* of the part that is being received */
	struct part *parts, **last, *current;
	size_t count;
	pthread_mutex_t mutex; /* guards `waiting` and the parts' codes */
	pthread_cond_t answered;
	size_t waiting;
};

static void stored(void *context, enum rs_code code, const struct rs_admit_result *result RS_UNUSED,
                   const struct rs_error *err)
{
	struct part *part = context;
	struct storing *storing = part->storing;
	pthread_mutex_lock(&storing->mutex);
	part->code = code;
	if (code != RS_OK && storing->request->note[0] == '\0')
		(void)snprintf(storing->request->note, sizeof storing->request->note, "an instance: %.140s",
		               err->message);
	storing->waiting--;
	pthread_cond_signal(&storing->answered);
	pthread_mutex_unlock(&storing->mutex);
}

static enum rs_code begin_instance(struct storing *storing, struct rs_error *err)
{
	char source[RS_SOURCE_MAX + 1];
	const struct rs_arrival_claims claims = {.study_instance_uid = storing->study[0] ? storing->study
	                                                                                 : NULL};
	if (storing->count == PARTS_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a body has at most %zu instances", PARTS_MAX);
	struct part *part = rs_allocate(sizeof *part);
	if (!part)
		return rs_error_memory(err, sizeof *part, "an instance");
	part->storing = storing;
	*storing->last = storing->current = part;
	storing->last = &part->next;
	storing->count++;
	struct rs_arrival_claims with = claims;
	with.identity = &part->identity;
	part->code = rs_arrival_begin(web_intake(storing->request->web), &with, &storing->arrival, NULL);
	snprintf(source, sizeof source, "dicomweb %s", storing->request->caller.name);
	if (part->code == RS_OK)
		part->code = rs_arrival_vouch(storing->arrival, source, rs_bytes_of("", 0), NULL);
	if (part->code != RS_OK) {
		rs_arrival_abandon(storing->arrival);
		storing->arrival = NULL;
	}
	return RS_OK;
}

static enum rs_code begin_part(void *context, const struct media *type, struct rs_error *err)
{
	struct storing *storing = context;
	if (storing->metadata)
		return metadata_body_begin(storing->metadata, type, storing->multipart.location, err);
	if (type->name.size > 0 && !media_is(type, DICOM)) {
		storing->request->status = 415;
		return rs_error_set(err, RS_UNSUPPORTED, "a part is of another type than " DICOM);
	}
	return begin_instance(storing, err);
}

/* An instance that cannot be kept does not stop the others: the rest of it is passed over. */
static enum rs_code part_data(void *context, struct rs_bytes bytes, struct rs_error *err)
{
	struct storing *storing = context;
	if (storing->metadata)
		return metadata_body_data(storing->metadata, bytes, err);
	if (!storing->arrival)
		return RS_OK;
	storing->current->code = rs_arrival_add(storing->arrival, bytes, NULL);
	if (storing->current->code != RS_OK) {
		rs_arrival_abandon(storing->arrival);
		storing->arrival = NULL;
	}
	return RS_OK;
}

static enum rs_code end_part(void *context, struct rs_error *err RS_UNUSED)
{
	struct storing *storing = context;
	struct rs_arrival *arrival = storing->arrival;
	storing->arrival = NULL;
	if (!arrival) /* or a part that is no instance */
		return RS_OK;
	pthread_mutex_lock(&storing->mutex);
	storing->waiting++;
	pthread_mutex_unlock(&storing->mutex);
	web_admit(storing->request->web, arrival, stored, storing->current);
	return RS_OK;
}

static enum rs_code begin_body(struct storing *storing, struct rs_error *err)
{
	const struct multipart_parts parts = {begin_part, part_data, end_part, storing};
	struct rs_str header = request_header(storing->request, "Content-Type");
	struct media type, none = {{"", 0}, {"", 0}};
	char boundary[PARAMETER_SIZE], of[PARAMETER_SIZE] = DICOM;
	bool known = media_next(&header, &type);
	if (known && media_is(&type, DICOM))
		return begin_part(storing, &none, err);
	if (!known || !media_is(&type, "multipart/related")) {
		storing->request->status = 415;
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "send multipart/related; type=\"" DICOM "\", or one instance as " DICOM);
	}
	if (media_parameter(&type, "type", of) && strcmp(of, DICOM_JSON) == 0)
		RS_TRY(metadata_body_create(&storing->metadata, err));
	else if (strcmp(of, DICOM) != 0) {
		storing->request->status = 415;
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "parts of type %.64s are not taken: send " DICOM " or " DICOM_JSON, of);
	}
	if (!media_parameter(&type, "boundary", boundary))
		return rs_error_set(err, RS_MALFORMED, "multipart/related without a boundary");
	storing->is_multipart = true;
	return multipart_init(&storing->multipart, boundary, &parts, err);
}

static enum rs_code begin(struct request *request, struct rs_error *err)
{
	struct rs_str accept = request_header(request, "Accept");
	struct media range;
	bool covered = accept.size == 0;
	while (media_next(&accept, &range))
		covered = covered || (media_quality(&range) > 0 && media_covers(&range, DICOM_JSON));
	if (!covered) {
		request->status = 406;
		return rs_error_set(err, RS_UNSUPPORTED, "the answer is " DICOM_JSON);
	}
	/* What is stored is signed by the node. */
	RS_TRY(request_check_member(request, err));
	struct storing *storing = rs_allocate(sizeof *storing);
	if (!storing)
		return rs_error_memory(err, sizeof *storing, "a request");
	request->state = storing;
	storing->request = request;
	storing->last = &storing->parts;
	pthread_mutex_init(&storing->mutex, NULL);
	pthread_cond_init(&storing->answered, NULL);
	if (request->values[0].size > 0)
		snprintf(storing->study, sizeof storing->study, RS_STR_FORMAT,
		         RS_STR_ARGUMENTS(request->values[0]));
	return begin_body(storing, err);
}

static enum rs_code take(struct request *request, struct rs_bytes bytes, struct rs_error *err)
{
	struct storing *storing = request->state;
	return storing->is_multipart ? multipart_take(&storing->multipart, bytes, err)
	                             : part_data(storing, bytes, err);
}

static void wait_for_all(struct storing *storing)
{
	pthread_mutex_lock(&storing->mutex);
	while (storing->waiting > 0)
		pthread_cond_wait(&storing->answered, &storing->mutex);
	pthread_mutex_unlock(&storing->mutex);
}

/* A manifest of a device's may list what is here now. */
static void match_all(struct storing *storing)
{
	struct rs_reception *reception = rs_gateway_reception(web_gateway(storing->request->web));
	for (const struct part *part = storing->parts; part; part = part->next)
		if (part->code == RS_OK && part->identity.sop_instance_uid[0])
			rs_reception_arrived(reception, part->identity.sop_instance_uid);
}

static unsigned reason_of(enum rs_code code)
{
	switch (code) {
	case RS_USAGE: return REASON_MISMATCH;
	case RS_MALFORMED:
	case RS_UNSUPPORTED: return REASON_NOT_UNDERSTOOD;
	case RS_REFUSED: return REASON_NOT_AUTHORIZED;
	case RS_TOO_LARGE:
	case RS_NO_SPACE:
	case RS_NO_MEMORY:
	case RS_BUSY: return REASON_OUT_OF_RESOURCES;
	default: return REASON_PROCESSING;
	}
}

static void put_value(struct rs_json *json, const char *tag, const char *vr, const char *value)
{
	rs_json_key(json, tag);
	rs_json_object_begin(json);
	rs_json_key(json, "vr");
	rs_json_text(json, vr);
	rs_json_key(json, "Value");
	rs_json_array_begin(json);
	rs_json_text(json, value);
	rs_json_array_end(json);
	rs_json_object_end(json);
}

static void begin_sequence(struct rs_json *json, const char *tag)
{
	rs_json_key(json, tag);
	rs_json_object_begin(json);
	rs_json_key(json, "vr");
	rs_json_text(json, "SQ");
	rs_json_key(json, "Value");
	rs_json_array_begin(json);
}

static void end_sequence(struct rs_json *json)
{
	rs_json_array_end(json);
	rs_json_object_end(json);
}

static void put_part(const struct request *request, const struct part *part, struct rs_json *json)
{
	const struct rs_arrival_identity *identity = &part->identity;
	char path[4 * UID_SIZE];
	rs_json_object_begin(json);
	if (identity->sop_class_uid[0])
		put_value(json, "00081150", "UI", identity->sop_class_uid);
	if (identity->sop_instance_uid[0])
		put_value(json, "00081155", "UI", identity->sop_instance_uid);
	if (part->code == RS_OK) {
		char url[URL_SIZE];
		snprintf(path, sizeof path, "/studies/%s/series/%s/instances/%s",
		         identity->study_instance_uid, identity->series_instance_uid,
		         identity->sop_instance_uid);
		request_url(request, path, url);
		put_value(json, "00081190", "UR", url);
	} else {
		rs_json_key(json, "00081197");
		rs_json_object_begin(json);
		rs_json_key(json, "vr");
		rs_json_text(json, "US");
		rs_json_key(json, "Value");
		rs_json_array_begin(json);
		rs_json_u64(json, reason_of(part->code));
		rs_json_array_end(json);
		rs_json_object_end(json);
	}
	rs_json_object_end(json);
}

enum outcome { STORED, FAILED, UNKNOWN }; /* of what failed and does not say what it is */

static enum outcome outcome_of(const struct part *part)
{
	if (part->code == RS_OK)
		return STORED;
	return part->identity.sop_class_uid[0] && part->identity.sop_instance_uid[0] ? FAILED : UNKNOWN;
}

static void put_outcome(const struct storing *storing, enum outcome outcome, const char *tag,
                        struct rs_json *json)
{
	bool any = false;
	for (const struct part *part = storing->parts; part; part = part->next) {
		if (outcome_of(part) != outcome)
			continue;
		if (!any)
			begin_sequence(json, tag);
		any = true;
		put_part(storing->request, part, json);
	}
	if (any)
		end_sequence(json);
}

static unsigned status_of(struct storing *storing)
{
	size_t good = 0;
	for (const struct part *part = storing->parts; part; part = part->next)
		good += part->code == RS_OK;
	return good == storing->count ? 200 : good > 0 ? 202 : 409;
}

/* Of what cannot be made a file the answer says which instance it was meant to be. */
static void name_part(struct part *part, const json_t *dataset)
{
	const struct {
		const char *tag;
		char *to;
	} uids[] = {{"00080016", part->identity.sop_class_uid},
	            {"00080018", part->identity.sop_instance_uid}};
	for (size_t i = 0; i < RS_COUNT(uids); i++)
		(void)snprintf(uids[i].to, UID_SIZE, RS_STR_FORMAT,
		               RS_STR_ARGUMENTS(dicom_json_uid(dataset, uids[i].tag)));
}

static enum rs_code store_dataset(struct storing *storing, size_t index, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error reason = {0};
	RS_TRY(begin_instance(storing, err));
	rs_buffer_init(&file, FILE_MAX);
	enum rs_code code = metadata_body_file(storing->metadata, index, &file, &reason);
	if (code == RS_OK && storing->arrival)
		code = rs_arrival_add(storing->arrival, rs_buffer_bytes(&file), &reason);
	if (code == RS_OK)
		return end_part(storing, err);
	rs_arrival_abandon(storing->arrival);
	storing->arrival = NULL;
	storing->current->code = code;
	name_part(storing->current, metadata_body_dataset(storing->metadata, index));
	pthread_mutex_lock(&storing->mutex);
	if (storing->request->note[0] == '\0')
		(void)snprintf(storing->request->note, sizeof storing->request->note, "an instance: %.140s",
		               reason.message);
	pthread_mutex_unlock(&storing->mutex);
	return RS_OK;
}

static enum rs_code store_metadata(struct storing *storing, struct rs_error *err)
{
	size_t count;
	RS_TRY(metadata_body_parse(storing->metadata, &count, err));
	for (size_t i = 0; i < count; i++)
		RS_TRY(store_dataset(storing, i, err));
	return RS_OK;
}

static enum rs_code answer(struct request *request, struct rs_error *err)
{
	struct storing *storing = request->state;
	struct rs_json json;
	char path[2 * UID_SIZE], url[URL_SIZE];
	if (storing->is_multipart)
		RS_TRY(multipart_end(&storing->multipart, err));
	else
		RS_TRY(end_part(storing, err));
	if (storing->metadata)
		RS_TRY(store_metadata(storing, err));
	wait_for_all(storing);
	match_all(storing);
	if (storing->count == 0)
		return rs_error_set(err, RS_MALFORMED, "the body has no instance");
	request->status = status_of(storing);
	snprintf(request->media, sizeof request->media, DICOM_JSON);
	rs_json_init(&json, &request->body, false);
	rs_json_object_begin(&json);
	if (storing->study[0] && request->status != 409) {
		snprintf(path, sizeof path, "/studies/%s", storing->study);
		request_url(request, path, url);
		put_value(&json, "00081190", "UR", url);
	}
	put_outcome(storing, FAILED, "00081198", &json);
	put_outcome(storing, STORED, "00081199", &json);
	put_outcome(storing, UNKNOWN, "0008119A", &json);
	rs_json_object_end(&json);
	return rs_buffer_check(&request->body, "the answer", err);
}

static void finish(struct request *request)
{
	struct storing *storing = request->state;
	rs_arrival_abandon(storing->arrival);
	wait_for_all(storing);
	while (storing->parts) {
		struct part *part = storing->parts;
		storing->parts = part->next;
		rs_free(part);
	}
	multipart_finish(&storing->multipart);
	metadata_body_destroy(storing->metadata);
	pthread_cond_destroy(&storing->answered);
	pthread_mutex_destroy(&storing->mutex);
	rs_free(storing);
}

const struct route routes_stow[] = {
	{"POST", "/studies", RS_WEB_MAY_STORE, BODY_SIZE_MAX, begin, take, answer, finish},
	{"POST", "/studies/{uid}", RS_WEB_MAY_STORE, BODY_SIZE_MAX, begin, take, answer, finish},
	{NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
