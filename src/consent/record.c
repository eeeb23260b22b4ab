/* ISO/IEC TS 27560 consent records and receipts (DPV, JSON-LD). Purposes are HL7's codes, as everywhere here. */
#include "consent/consent_record.h"

#define KIND_STUDY 1 /* of rs_subject_commitment() */
#define PROFILE "https://w3id.org/dpv/schema/dpv-27560#"
#define PURPOSE_SYSTEM "http://terminology.hl7.org/CodeSystem/v3-ActReason#"

static const struct {
	uint32_t number;
	const char *name, *code;
} purposes[] = {
#define PURPOSE_ROW(member, number, name, code) {number, name, code},
	RS_PURPOSES(PURPOSE_ROW)
#undef PURPOSE_ROW
};

/* DPV's categories of processing. */
static const struct {
	enum rs_operation operation;
	const char *name, *processing;
} operations[] = {
	{RS_OPERATION_READ, "read", "dpv:Access"},       {RS_OPERATION_EXTRACT, "extract", "dpv:Derive"},
	{RS_OPERATION_TRAIN, "train", "dpv:Analyse"},    {RS_OPERATION_PREDICT, "predict", "dpv:Infer"},
	{RS_OPERATION_EXPORT, "export", "dpv:Disclose"},
};

static void write_text(struct rs_json *json, const char *key, const char *value)
{
	rs_json_key(json, key);
	rs_json_text(json, value);
}

static void write_iri(struct rs_json *json, const char *key, const char *iri)
{
	rs_json_key(json, key);
	rs_json_object_begin(json);
	write_text(json, "@id", iri);
	rs_json_object_end(json);
}

static void write_urn(struct rs_json *json, const char *key, const char *kind, const uint8_t *digest)
{
	char text[64 + 2 * RS_SHA256_SIZE] = "urn:radseal:";
	struct rs_buffer urn RS_CLEANUP(rs_buffer_finish) = {0};
	rs_hex_encode(rs_bytes_of(digest, RS_SHA256_SIZE), text);
	rs_buffer_init(&urn, 256);
	rs_buffer_printf(&urn, "urn:radseal:%s:%s", kind, text);
	rs_json_key(json, key);
	rs_json_str(json, rs_buffer_str(&urn));
}

static void write_time(struct rs_json *json, const char *key, uint64_t time_ms)
{
	char text[RS_TIME_TEXT_SIZE];
	rs_format_time_ms(time_ms, text);
	if (time_ms)
		write_text(json, key, text);
}

static void write_party(struct rs_json *json, const char *key, const char *type, struct rs_str name)
{
	rs_json_key(json, key);
	rs_json_object_begin(json);
	write_text(json, "@type", type);
	rs_json_key(json, "schema:name");
	rs_json_str(json, name);
	rs_json_object_end(json);
}

static void write_context(struct rs_json *json)
{
	static const char *const names[][2] = {{"dpv", "https://w3id.org/dpv#"},
	                                       {"dct", "http://purl.org/dc/terms/"},
	                                       {"schema", "https://schema.org/"},
	                                       {"rdfs", "http://www.w3.org/2000/01/rdf-schema#"},
	                                       {"radseal", "https://radseal.local/terms#"}};
	rs_json_key(json, "@context");
	rs_json_object_begin(json);
	for (size_t i = 0; i < RS_COUNT(names); i++)
		write_text(json, names[i][0], names[i][1]);
	rs_json_object_end(json);
}

static void write_named(struct rs_json *json, const char *type, const char *label)
{
	write_text(json, "@type", type);
	write_text(json, "rdfs:label", label);
	rs_json_object_end(json);
}

static void write_purposes(struct rs_json *json, uint32_t set)
{
	rs_json_key(json, "dpv:hasPurpose");
	rs_json_array_begin(json);
	for (size_t i = 0; i < RS_COUNT(purposes); i++) {
		char iri[96] = PURPOSE_SYSTEM;
		size_t size = sizeof PURPOSE_SYSTEM - 1;
		if (!(set >> purposes[i].number & 1))
			continue;
		for (const char *at = purposes[i].code; *at; at++)
			iri[size++] = *at;
		rs_json_object_begin(json);
		write_text(json, "@id", iri);
		write_named(json, "dpv:Purpose", purposes[i].name);
	}
	rs_json_array_end(json);
}

static void write_processing(struct rs_json *json, uint32_t set)
{
	rs_json_key(json, "dpv:hasProcessing");
	rs_json_array_begin(json);
	for (size_t i = 0; i < RS_COUNT(operations); i++)
		if (set >> operations[i].operation & 1) {
			rs_json_object_begin(json);
			write_named(json, operations[i].processing, operations[i].name);
		}
	rs_json_array_end(json);
}

static void write_recipients(struct rs_json *json, const struct rs_consent_terms *terms)
{
	write_party(json, "dpv:hasRecipient", "dpv:Recipient",
	            terms->organisation_size ? rs_consent_terms_organisation(terms)
	                                     : RS_STR("any organisation"));
	rs_json_key(json, "radseal:role");
	rs_json_array_begin(json);
	for (unsigned role = 1; role < RS_ROLE_COUNT; role++)
		if (terms->roles >> role & 1)
			rs_json_text(json, rs_role_name((enum rs_role)role));
	rs_json_array_end(json);
}

static void write_data(struct rs_json *json, const struct rs_consent_terms *terms)
{
	rs_json_key(json, "dpv:hasPersonalData");
	rs_json_array_begin(json);
	if (terms->studies_size == 0) {
		rs_json_object_begin(json);
		write_named(json, "dpv:SensitivePersonalData", "all imaging studies of the subject");
	}
	for (size_t i = 0; i < terms->studies_size; i += RS_SHA256_SIZE) {
		rs_json_object_begin(json);
		write_urn(json, "@id", "study", terms->studies + i);
		write_named(json, "dpv:SensitivePersonalData", "an imaging study, by its commitment");
	}
	rs_json_array_end(json);
}

static void write_process(struct rs_json *json, const struct rs_consent_terms *terms)
{
	rs_json_key(json, "dpv:hasProcess");
	rs_json_object_begin(json);
	write_text(json, "@type", "dpv:Process");
	write_purposes(json, terms->purposes);
	write_processing(json, terms->operations);
	write_recipients(json, terms);
	write_data(json, terms);
	rs_json_object_end(json);
}

static const char *status_of(const struct rs_consent_record *record)
{
	const struct rs_consent_terms *terms = &record->consent->terms;
	if (record->consent->revoked)
		return "dpv:ConsentWithdrawn";
	if (terms->effect == RS_CONSENT_DENY)
		return "dpv:ConsentRefused";
	return terms->until_ms && record->written_ms >= terms->until_ms ? "dpv:ConsentExpired"
	                                                                : "dpv:ConsentGiven";
}

/* The members of a record; the object is open. */
static void write_record(struct rs_json *json, const struct rs_consent_record *record)
{
	const struct rs_consent_facts *consent = record->consent;
	write_urn(json, "@id", "consent", consent->name.bytes);
	write_text(json, "@type", "dpv:ConsentRecord");
	rs_json_key(json, "dct:identifier");
	rs_json_hex(json, rs_bytes_of(consent->name.bytes, RS_SHA256_SIZE));
	write_iri(json, "dct:conformsTo", PROFILE "record");
	write_time(json, "dct:created", record->issued_ms);
	rs_json_key(json, "dpv:hasDataSubject");
	rs_json_object_begin(json);
	write_urn(json, "@id", "subject", consent->subject.bytes);
	write_text(json, "@type", "dpv:Patient");
	rs_json_object_end(json);
	write_party(json, "dpv:hasDataController", "dpv:DataController", record->controller);
	write_iri(json, "dpv:hasLegalBasis", "dpv:Consent");
	write_process(json, &consent->terms);
	rs_json_key(json, "dpv:hasConsentStatus");
	rs_json_object_begin(json);
	write_text(json, "@type", status_of(record));
	write_time(json, "dct:date", record->written_ms);
	write_time(json, "radseal:from", consent->terms.from_ms);
	write_time(json, "radseal:before", consent->terms.until_ms);
	rs_json_object_end(json);
}

static bool names_study(const struct rs_consent_terms *terms, const struct rs_digest *study)
{
	for (size_t i = 0; i < terms->studies_size; i += RS_SHA256_SIZE)
		if (rs_bytes_equal(rs_bytes_of(terms->studies + i, RS_SHA256_SIZE),
		                   rs_bytes_of(study->bytes, RS_SHA256_SIZE)))
			return true;
	return terms->studies_size == 0;
}

static enum rs_code write_openings(struct rs_json *json, const struct rs_consent_record *record,
                                   struct rs_error *err)
{
	static const uint8_t kind = KIND_STUDY;
	const struct rs_consent_openings *openings = record->openings;
	rs_json_key(json, "radseal:opening");
	rs_json_object_begin(json);
	write_text(json, "radseal:commitment", "HMAC-SHA-256(key, 0x01 || StudyInstanceUID)");
	rs_json_key(json, "radseal:key");
	rs_json_hex(json, rs_bytes_of(openings->key->bytes, RS_KEY_SIZE));
	rs_json_key(json, "radseal:study");
	rs_json_array_begin(json);
	for (size_t i = 0; i < openings->count; i++) {
		const struct rs_bytes parts[] = {{&kind, 1}, rs_bytes_of_str(openings->studies[i])};
		struct rs_digest study;
		rs_hmac_sha256_parts(rs_bytes_of(openings->key->bytes, RS_KEY_SIZE), parts, 2, &study);
		if (!names_study(&record->consent->terms, &study))
			return rs_error_set(err, RS_USAGE,
			                    "the consent does not name the study " RS_STR_FORMAT,
			                    RS_STR_ARGUMENTS(openings->studies[i]));
		rs_json_object_begin(json);
		write_urn(json, "@id", "study", study.bytes);
		rs_json_key(json, "dct:identifier");
		rs_json_str(json, openings->studies[i]);
		rs_json_object_end(json);
	}
	rs_json_array_end(json);
	rs_json_object_end(json);
	return RS_OK;
}

static enum rs_code write_receipt(struct rs_json *json, const struct rs_consent_record *record,
                                  struct rs_error *err)
{
	write_urn(json, "@id", "receipt", record->consent->name.bytes);
	write_text(json, "@type", "dpv:ConsentReceipt");
	write_iri(json, "dct:conformsTo", PROFILE "receipt-record");
	write_time(json, "dct:created", record->written_ms);
	write_party(json, "dct:publisher", "dpv:DataController", record->controller);
	write_iri(json, "schema:recipient", "dpv:DataSubject");
	rs_json_key(json, "dpv:hasRecordOfActivity");
	rs_json_object_begin(json);
	write_record(json, record);
	rs_json_object_end(json);
	return write_openings(json, record, err);
}

enum rs_code rs_consent_record_write(const struct rs_consent_record *record, struct rs_buffer *out,
                                     struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_json json;
	rs_buffer_init(&text, out->maximum);
	rs_json_init(&json, &text, true);
	rs_json_object_begin(&json);
	write_context(&json);
	if (record->openings)
		RS_TRY(write_receipt(&json, record, err));
	else
		write_record(&json, record);
	rs_json_object_end(&json);
	rs_buffer_append_text(&text, "\n");
	RS_TRY(rs_buffer_check(&text, "a consent record", err));
	rs_buffer_append_bytes(out, rs_buffer_bytes(&text));
	return rs_buffer_check(out, "a consent record", err);
}
