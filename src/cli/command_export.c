/* radseal export: masks and features for archives and records of others. */
#include <stdio.h>
#include <string.h>

#include "export/export.h"
#include "extract_options.h"

#define OUT_MAX ((size_t)1 << 30)
#define TABLE_MAX ((size_t)64 << 20)
#define COLUMNS_MAX 256

enum kind { DICOM_SEG, DICOM_SR, FHIR };

struct exporting {
	enum kind kind;
	struct rs_export_maker maker;
	char *type; /* of segments, cut into its parts */
	struct rs_radiomics_settings settings;
	struct rs_export_source *source;
	struct rs_volume volume;
	struct rs_mask mask;
	struct rs_label *labels;
	size_t label_count;
	struct rs_radiomics_result *results;
	struct rs_export_region *regions;
	struct rs_csv prediction;
	struct rs_export_prediction columns[COLUMNS_MAX];
	size_t column_count;
};

static void exporting_finish(struct exporting *e)
{
	for (size_t i = 0; e->results && i < e->label_count; i++)
		rs_radiomics_result_finish(&e->results[i]);
	rs_free(e->results);
	rs_free(e->regions);
	rs_free(e->labels);
	rs_free(e->type);
	rs_mask_finish(&e->mask);
	rs_volume_finish(&e->volume);
	rs_csv_finish(&e->prediction);
	rs_export_source_close(e->source);
}

static enum rs_code read_kind(const struct command_line *line, enum kind *out, struct rs_error *err)
{
	static const char *const words[] = {"dicom-seg", "dicom-sr", "fhir"};
	const char *format = option_value(line, "format");
	for (size_t i = 0; format && i < RS_COUNT(words); i++)
		if (strcmp(words[i], format) == 0) {
			*out = (enum kind)i;
			return RS_OK;
		}
	return rs_error_set(err, RS_USAGE, "export: --format is dicom-seg, dicom-sr or fhir");
}

/* "108369006,SCT,Neoplasm" */
static enum rs_code read_type(const struct command_line *line, struct exporting *e, struct rs_error *err)
{
	const char *given = option_value(line, "segment-type");
	if (!given)
		return RS_OK;
	e->type = rs_str_duplicate(rs_str_from(given));
	char *scheme = e->type ? strchr(e->type, ',') : NULL;
	char *meaning = scheme ? strchr(scheme + 1, ',') : NULL;
	if (!meaning || scheme == e->type || scheme - e->type > 16 || meaning - scheme > 17 || !meaning[1])
		return rs_error_set(err, RS_USAGE, "export: --segment-type is CODE,SCHEME,MEANING, not '%s'",
		                    given);
	*scheme = *meaning = '\0';
	e->maker.type = (struct rs_export_code){e->type, scheme + 1, meaning + 1};
	return RS_OK;
}

/* The row of --id, or the only one. */
static enum rs_code read_prediction(const struct command_line *line, struct exporting *e,
                                    struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	const char *path = option_value(line, "prediction"), *id = option_value(line, "id");
	size_t row = 0;
	if (!path)
		return RS_OK;
	if (e->kind != FHIR)
		return rs_error_set(err, RS_USAGE, "export: --prediction goes with --format fhir");
	RS_TRY(rs_file_read_all(rs_world_system(), path, TABLE_MAX, &file, err));
	if (rs_csv_parse(rs_buffer_bytes(&file), &e->prediction, err) != RS_OK)
		return rs_error_context(err, "%s", path);
	const size_t key = rs_csv_column(&e->prediction, "id");
	if (!id && e->prediction.rows != 1)
		return rs_error_set(err, RS_USAGE, "export: %s has %zu rows; say with --id whose is meant",
		                    path, e->prediction.rows);
	while (id && key != RS_CSV_NO_COLUMN && row < e->prediction.rows &&
	       strcmp(rs_csv_cell(&e->prediction, row, key), id) != 0)
		row++;
	if (row == e->prediction.rows || (id && key == RS_CSV_NO_COLUMN))
		return rs_error_set(err, RS_NOT_FOUND, "%s has no row whose id is '%s'", path, id);
	for (size_t c = 0; c < e->prediction.columns && e->column_count < COLUMNS_MAX; c++)
		if (c != key)
			e->columns[e->column_count++] = (struct rs_export_prediction){
				rs_str_from(rs_csv_name(&e->prediction, c)),
				rs_str_from(rs_csv_cell(&e->prediction, row, c))};
	return RS_OK;
}

static enum rs_code read_images(const struct command_line *line, struct exporting *e, struct rs_error *err)
{
	const struct rs_world *world = rs_world_system();
	const char *label = option_value(line, "label");
	const struct rs_label_choice choice = {.texts = &label, .count = label ? 1 : 0};
	char note[256] = "";
	RS_TRY(rs_export_source_open(world, line->operands[0], &e->source, err));
	RS_TRY(rs_volume_read(world, line->operands[0], &e->volume, err));
	RS_TRY(rs_mask_read_chosen(world, line->operands[1], &e->volume.geometry, &choice, &e->mask, err));
	RS_TRY(rs_mask_match(&e->volume.geometry, &e->mask,
	                     e->settings.geometry_tolerance * e->volume.geometry.spacing_mm[0], note,
	                     sizeof note, err));
	if (!option_given(line, "quiet") && (note[0] || e->mask.note[0]))
		fprintf(stderr, "%s%s%s\n", e->mask.note, e->mask.note[0] && note[0] ? "; " : "", note);
	return rs_export_labels(&e->mask, &e->labels, &e->label_count, err);
}

static enum rs_code measure(const struct command_line *line, struct exporting *e, struct rs_error *err)
{
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	RS_TRY(session_pool(line, 1, &pool, err));
	e->results = rs_allocate_array(e->label_count, sizeof *e->results);
	e->regions = rs_allocate_array(e->label_count, sizeof *e->regions);
	if (!e->results || !e->regions)
		return rs_error_memory(err, e->label_count * sizeof *e->results, "results");
	for (size_t i = 0; i < e->label_count; i++) {
		e->settings.label = e->labels[i].value;
		if (rs_radiomics_extract(&e->volume, &e->mask, &e->settings, pool, &e->results[i], err) !=
		    RS_OK)
			return rs_error_context(err, "label %u", e->labels[i].value);
		e->regions[i] = (struct rs_export_region){e->labels[i], &e->results[i],
		                                          e->settings.mode == RS_RADIOMICS_IBSI};
	}
	return RS_OK;
}

static enum rs_code report(const struct command_line *line, const struct exporting *e, struct rs_buffer *out,
                           struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	RS_TRY(rs_file_read_all(rs_world_system(), line->operands[1], OUT_MAX, &file, err));
	if (!rs_dicom_begins(rs_buffer_bytes(&file)) ||
	    rs_dicom_parse_header(rs_buffer_bytes(&file), &dicom, err) != RS_OK)
		return rs_error_set(
			err, RS_UNSUPPORTED,
			"%s: a report refers to segments: give a DICOM SEG as mask (export --format dicom-seg "
			"makes one)",
			line->operands[1]);
	return rs_export_report(e->source, &e->maker, &dicom, e->regions, e->label_count, out, err);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct exporting e RS_CLEANUP(exporting_finish) = {
		.maker = {.world = rs_world_system(),
	                  .version = RADSEAL_VERSION,
	                  .algorithm = option_value(line, "algorithm")}};
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	const char *path = option_value(line, "output");
	if (line->operand_count != 2 || !path)
		return rs_error_set(err, RS_USAGE, "export takes an image, a mask and -o FILE");
	RS_TRY(read_kind(line, &e.kind, err));
	RS_TRY(extract_settings(line, &e.settings, err));
	RS_TRY(read_type(line, &e, err));
	RS_TRY(read_prediction(line, &e, err));
	RS_TRY(read_images(line, &e, err));
	if (e.kind != DICOM_SEG)
		RS_TRY(measure(line, &e, err));
	rs_buffer_init(&out, OUT_MAX);
	switch (e.kind) {
	case DICOM_SEG: RS_TRY(rs_export_segmentation(e.source, &e.maker, &e.mask, &out, err)); break;
	case DICOM_SR: RS_TRY(report(line, &e, &out, err)); break;
	case FHIR:
		RS_TRY(rs_export_fhir(e.source, &e.maker, e.regions, e.label_count, e.columns, e.column_count,
		                      &out, err));
		break;
	}
	RS_TRY(rs_file_replace(rs_world_system(), path, rs_buffer_bytes(&out), 0600, err));
	if (option_given(line, "json"))
		printf("{\"regions\": %zu, \"size\": %zu}\n", e.label_count, out.size);
	return RS_OK;
}

static const struct option options[] = {
	{"format", "FORMAT", "dicom-seg, dicom-sr (TID 1500) or fhir (R4, one bundle)"},
	{"output", "FILE", "what is written"},
	{"label", "LABEL", "only this region of the mask: a label's number or name"},
	{"params", "FILE", "how to measure, as for radseal extract"},
	{"mode", "MODE", "pyradiomics (default) or ibsi"},
	{"setting", "SETTING", "one setting over those of the file, name:value; may be repeated"},
	{"segment-type", "CODE,SCHEME,MEANING", "what a segment shows (default 108369006,SCT,Neoplasm)"},
	{"algorithm", "NAME", "that drew the mask; without it, people did"},
	{"prediction", "FILE", "of radseal predict, for fhir: becomes a RiskAssessment"},
	{"id", "ID", "of --prediction: whose row"},
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal export ct/ tumour.nii.gz --format dicom-seg -o seg.dcm",
         "a mask for the archive that the images are in"},
	{"radseal export ct/ seg.dcm --format dicom-sr -o sr.dcm", "its features, by IBSI's codes"},
	{"radseal export ct/ seg.dcm --format fhir --prediction risk.csv -o bundle.json", "for the record"},
	{NULL, NULL},
};

static const struct alias aliases[] = {{"-o", "output"}, {NULL, NULL}};

const struct command command_export = {
	.name = "export",
	.arguments = "IMAGE MASK --format dicom-seg|dicom-sr|fhir -o FILE [--label LABEL] [--params FILE] …",
	.summary = "write masks, features and predictions as DICOM SEG, DICOM SR or FHIR",
	.description =
		"IMAGE is a DICOM series, whose patient, study and frame of reference the result takes over; MASK whatever\n"
		"radseal extract takes. dicom-seg writes the mask as a binary segmentation. dicom-sr measures its regions\n"
		"and writes a structured report (TID 1500) that refers to a segmentation, so MASK is a DICOM SEG. fhir\n"
		"writes a bundle of ImagingStudy, Observation, DiagnosticReport, RiskAssessment and Provenance. What is\n"
		"written is new each time: UIDs are drawn at random, reports are unverified. Seal it if it is to count.",
	.options = options,
	.examples = examples,
	.aliases = aliases,
	.repeatable = "setting",
	.run = run,
};
