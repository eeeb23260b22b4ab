/* Results as FHIR R4 (4.0.1) resources in one bundle: ImagingStudy, Device, Observation, DiagnosticReport, RiskAssessment,
 * Provenance. The patient is named by the identifier that the image has, not by a resource of ours. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "source.h"

#define UCUM "http://unitsofmeasure.org"
#define DCM_SYSTEM "http://dicom.nema.org/resources/ontology/DCM"
#define IBSI_SYSTEM "urn:oid:1.2.840.10008.2.16.13" /* PS3.16 table 8-1 */

struct bundle {
	struct rs_json json;
	const struct rs_export_source *source;
	const struct rs_export_maker *maker;
	char now[RS_TIME_TEXT_SIZE];
	char study[46], device[46], report[46], risk[46]; /* urn:uuid:… */
};

static enum rs_code make_uuid(const struct rs_world *world, char out[static 46], struct rs_error *err)
{
	uint8_t b[16];
	char hex[33];
	RS_TRY(rs_world_random(world, b, sizeof b, err));
	b[6] = (uint8_t)((b[6] & 0x0F) | 0x40); /* RFC 9562: version 4, variant 10 */
	b[8] = (uint8_t)((b[8] & 0x3F) | 0x80);
	rs_hex_encode(rs_bytes_of(b, sizeof b), hex);
	snprintf(out, 46, "urn:uuid:%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
	return RS_OK;
}

/* ---- pieces ---- */

static void put(struct rs_json *json, const char *key, const char *text)
{
	rs_json_key(json, key);
	rs_json_text(json, text);
}

static void put_str(struct rs_json *json, const char *key, struct rs_str text)
{
	rs_json_key(json, key);
	rs_json_str(json, text);
}

static void begin_object(struct rs_json *json, const char *key)
{
	rs_json_key(json, key);
	rs_json_object_begin(json);
}

static void begin_array(struct rs_json *json, const char *key)
{
	rs_json_key(json, key);
	rs_json_array_begin(json);
}

static void put_reference(struct rs_json *json, const char *key, const char *reference)
{
	begin_object(json, key);
	put(json, "reference", reference);
	rs_json_object_end(json);
}

static void put_references(struct rs_json *json, const char *key, const char *reference)
{
	begin_array(json, key);
	rs_json_object_begin(json);
	put(json, "reference", reference);
	rs_json_object_end(json);
	rs_json_array_end(json);
}

/* A CodeableConcept; system NULL: its text alone. */
static void put_concept(struct rs_json *json, const char *key, const char *system, const char *code,
                        const char *text)
{
	begin_object(json, key);
	if (system) {
		begin_array(json, "coding");
		rs_json_object_begin(json);
		put(json, "system", system);
		put(json, "code", code);
		rs_json_object_end(json);
		rs_json_array_end(json);
	}
	put(json, "text", text);
	rs_json_object_end(json);
}

static void put_subject(struct bundle *b)
{
	const struct rs_dicom_metadata *m = &b->source->instances[0].metadata;
	begin_object(&b->json, "subject");
	begin_object(&b->json, "identifier");
	put_str(&b->json, "value", m->patient_id.size ? m->patient_id : RS_STR("unknown"));
	if (m->issuer_of_patient_id.size) {
		begin_object(&b->json, "assigner");
		put_str(&b->json, "display", m->issuer_of_patient_id);
		rs_json_object_end(&b->json);
	}
	rs_json_object_end(&b->json);
	rs_json_object_end(&b->json);
}

static void begin_resource(struct bundle *b, const char *type, const char *url)
{
	rs_json_object_begin(&b->json);
	put(&b->json, "fullUrl", url);
	begin_object(&b->json, "resource");
	put(&b->json, "resourceType", type);
}

static void end_resource(struct bundle *b)
{
	rs_json_object_end(&b->json);
	rs_json_object_end(&b->json);
}

static void put_oid(struct rs_json *json, const char *key, struct rs_str uid)
{
	char text[80];
	snprintf(text, sizeof text, "urn:oid:" RS_STR_FORMAT, RS_STR_ARGUMENTS(uid));
	put(json, key, text);
}

/* ---- resources ---- */

static void put_series(struct bundle *b)
{
	struct rs_json *json = &b->json;
	const struct rs_dicom_metadata *first = &b->source->instances[0].metadata;
	begin_array(json, "series");
	rs_json_object_begin(json);
	put_str(json, "uid", first->series_instance_uid);
	begin_object(json, "modality");
	put(json, "system", DCM_SYSTEM);
	put_str(json, "code", first->modality.size ? first->modality : RS_STR("OT"));
	rs_json_object_end(json);
	rs_json_key(json, "numberOfInstances");
	rs_json_u64(json, b->source->count);
	begin_array(json, "instance");
	for (size_t i = 0; i < b->source->count; i++) {
		rs_json_object_begin(json);
		put_str(json, "uid", b->source->instances[i].metadata.sop_instance_uid);
		begin_object(json, "sopClass");
		put(json, "system", "urn:ietf:rfc:3986");
		put_oid(json, "code", b->source->instances[i].metadata.sop_class_uid);
		rs_json_object_end(json);
		rs_json_object_end(json);
	}
	rs_json_array_end(json);
	rs_json_object_end(json);
	rs_json_array_end(json);
}

static void put_study(struct bundle *b)
{
	struct rs_json *json = &b->json;
	begin_resource(b, "ImagingStudy", b->study);
	begin_array(json, "identifier");
	rs_json_object_begin(json);
	put(json, "system", "urn:dicom:uid");
	put_oid(json, "value", b->source->instances[0].metadata.study_instance_uid);
	rs_json_object_end(json);
	rs_json_array_end(json);
	put(json, "status", "available");
	put_subject(b);
	put_series(b);
	end_resource(b);
}

static void put_device(struct bundle *b)
{
	struct rs_json *json = &b->json;
	begin_resource(b, "Device", b->device);
	begin_array(json, "deviceName");
	rs_json_object_begin(json);
	put(json, "name", "radseal");
	put(json, "type", "model-name");
	rs_json_object_end(json);
	rs_json_array_end(json);
	begin_array(json, "version");
	rs_json_object_begin(json);
	put(json, "value", b->maker->version);
	rs_json_object_end(json);
	rs_json_array_end(json);
	end_resource(b);
}

static void put_component(struct bundle *b, const struct rs_radiomics_value *value, bool by_ibsi)
{
	struct rs_json *json = &b->json;
	const bool known = value->ibsi[0] != '\0' && (by_ibsi || strncmp(value->name, "original_", 9) == 0);
	const bool of_image = strncmp(value->unit, "[image]", 7) == 0;
	if (!isfinite(value->value))
		return;
	rs_json_object_begin(json);
	put_concept(json, "code", known ? IBSI_SYSTEM : NULL, value->ibsi, value->name);
	begin_object(json, "valueQuantity");
	rs_json_key(json, "value");
	rs_json_f64(json, value->value);
	if (!of_image) {
		put(json, "unit", value->unit);
		put(json, "system", UCUM);
		put(json, "code", value->unit);
	}
	rs_json_object_end(json);
	rs_json_object_end(json);
}

static void put_observation(struct bundle *b, const struct rs_export_region *region, const char *url)
{
	struct rs_json *json = &b->json;
	char label[65];
	format_label(region->label.name, region->label.value, label);
	begin_resource(b, "Observation", url);
	put(json, "status", "final");
	put_concept(json, "code", DCM_SYSTEM, "126010", "Imaging Measurements");
	put_subject(b);
	put(json, "effectiveDateTime", b->now);
	put_concept(json, "bodySite", NULL, NULL, label);
	put_reference(json, "device", b->device);
	put_references(json, "derivedFrom", b->study);
	begin_array(json, "component");
	for (size_t i = 0; i < region->features->count; i++)
		put_component(b, &region->features->values[i], region->by_ibsi);
	rs_json_array_end(json);
	end_resource(b);
}

static void put_report(struct bundle *b, char (*observations)[46], size_t count)
{
	struct rs_json *json = &b->json;
	begin_resource(b, "DiagnosticReport", b->report);
	put(json, "status", "preliminary"); /* nobody has verified it */
	put_concept(json, "code", DCM_SYSTEM, "126000", "Imaging Measurement Report");
	put_subject(b);
	put(json, "effectiveDateTime", b->now);
	begin_array(json, "result");
	for (size_t i = 0; i < count; i++) {
		rs_json_object_begin(json);
		put(json, "reference", observations[i]);
		rs_json_object_end(json);
	}
	rs_json_array_end(json);
	put_references(json, "imagingStudy", b->study);
	end_resource(b);
}

/* Of a column: "probability_high", "survival_24"; false when it is no probability. */
static bool outcome_of(const struct rs_export_prediction *column, double *out_value, char out[static 128])
{
	struct rs_str name = column->name;
	const bool survival = rs_str_starts_with(name, "survival_");
	if ((!survival && !rs_str_starts_with(name, "probability")) || rs_str_ends_with(name, "_lower") ||
	    rs_str_ends_with(name, "_upper") || !rs_parse_f64(column->value, out_value) || *out_value < 0 ||
	    *out_value > 1)
		return false;
	const size_t skipped = survival ? strlen("survival_") : strlen("probability");
	name.data += skipped;
	name.size -= skipped;
	snprintf(out, 128, survival ? "no event until time " RS_STR_FORMAT : "positive class" RS_STR_FORMAT,
	         RS_STR_ARGUMENTS(name));
	if (!survival && name.size > 1)
		snprintf(out, 128, "class " RS_STR_FORMAT, (int)name.size - 1, name.data + 1);
	return true;
}

static void put_risk(struct bundle *b, const struct rs_export_prediction *columns, size_t count)
{
	struct rs_json *json = &b->json;
	struct rs_buffer rest RS_CLEANUP(rs_buffer_finish) = {0};
	char outcome[128];
	double value;
	rs_buffer_init(&rest, 65536);
	begin_resource(b, "RiskAssessment", b->risk);
	put(json, "status", "preliminary");
	put_concept(json, "method", NULL, NULL,
	            "radseal predict; for research, not for a decision by itself");
	put_subject(b);
	put(json, "occurrenceDateTime", b->now);
	put_references(json, "basis", b->report);
	begin_array(json, "prediction");
	for (size_t i = 0; i < count; i++) {
		if (!outcome_of(&columns[i], &value, outcome)) {
			if (columns[i].value.size)
				rs_buffer_printf(&rest, "%s" RS_STR_FORMAT ": " RS_STR_FORMAT,
				                 rest.size ? "; " : "", RS_STR_ARGUMENTS(columns[i].name),
				                 RS_STR_ARGUMENTS(columns[i].value));
			continue;
		}
		rs_json_object_begin(json);
		put_concept(json, "outcome", NULL, NULL, outcome);
		rs_json_key(json, "probabilityDecimal");
		rs_json_f64(json, value);
		rs_json_object_end(json);
	}
	rs_json_array_end(json);
	begin_array(json, "note");
	rs_json_object_begin(json);
	put_str(json, "text", rest.size ? rs_buffer_str(&rest) : RS_STR("nothing else was told"));
	rs_json_object_end(json);
	rs_json_array_end(json);
	end_resource(b);
}

static void put_entities(struct bundle *b)
{
	struct rs_json *json = &b->json;
	begin_array(json, "entity");
	for (size_t i = 0; i < b->source->count; i++) {
		char hash[80] = "urn:sha256:";
		rs_hex_encode(rs_bytes_of(b->source->instances[i].digest.bytes, 32), hash + strlen(hash));
		rs_json_object_begin(json);
		put(json, "role", "source");
		begin_object(json, "what");
		begin_object(json, "identifier");
		put(json, "value", hash);
		rs_json_object_end(json);
		rs_json_object_end(json);
		rs_json_object_end(json);
	}
	rs_json_array_end(json);
}

static void put_provenance(struct bundle *b, const char *url, bool with_risk)
{
	struct rs_json *json = &b->json;
	begin_resource(b, "Provenance", url);
	begin_array(json, "target");
	for (size_t i = 0; i < (with_risk ? 2u : 1u); i++) {
		rs_json_object_begin(json);
		put(json, "reference", i == 0 ? b->report : b->risk);
		rs_json_object_end(json);
	}
	rs_json_array_end(json);
	put(json, "recorded", b->now);
	begin_array(json, "agent");
	rs_json_object_begin(json);
	put_concept(json, "type", "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
	            "assembler", "Assembler");
	put_reference(json, "who", b->device);
	rs_json_object_end(json);
	rs_json_array_end(json);
	put_entities(b);
	end_resource(b);
}

static enum rs_code put_all(struct bundle *b, const struct rs_export_region *regions, size_t count,
                            char (*urls)[46], const struct rs_export_prediction *prediction,
                            size_t prediction_count)
{
	struct rs_json *json = &b->json;
	rs_json_object_begin(json);
	put(json, "resourceType", "Bundle");
	put(json, "type", "collection");
	put(json, "timestamp", b->now);
	begin_array(json, "entry");
	put_study(b);
	put_device(b);
	for (size_t i = 0; i < count; i++)
		put_observation(b, &regions[i], urls[i]);
	put_report(b, urls, count);
	if (prediction_count)
		put_risk(b, prediction, prediction_count);
	put_provenance(b, urls[count], prediction_count > 0);
	rs_json_array_end(json);
	rs_json_object_end(json);
	return rs_buffer_append_text(json->out, "\n");
}

enum rs_code rs_export_fhir(const struct rs_export_source *source, const struct rs_export_maker *maker,
                            const struct rs_export_region *regions, size_t count,
                            const struct rs_export_prediction *prediction, size_t prediction_count,
                            struct rs_buffer *out, struct rs_error *err)
{
	struct bundle b = {.source = source, .maker = maker};
	char *const fixed[] = {b.study, b.device, b.report, b.risk};
	char(*urls)[46] RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count + 1, sizeof *urls);
	if (!urls)
		return rs_error_memory(err, count, "a list of resources");
	for (size_t i = 0; i < RS_COUNT(fixed); i++)
		RS_TRY(make_uuid(maker->world, fixed[i], err));
	for (size_t i = 0; i <= count; i++)
		RS_TRY(make_uuid(maker->world, urls[i], err));
	rs_format_time_ms(rs_world_now_ms(maker->world), b.now);
	rs_json_init(&b.json, out, true);
	(void)put_all(&b, regions, count, urls, prediction, prediction_count);
	return rs_buffer_check(out, "the bundle", err);
}
