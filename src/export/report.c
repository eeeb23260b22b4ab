/* Features as a structured report: TID 1500 "Measurement Report" with a TID 1411 "Volumetric ROI Measurements" group for each
 * region (PS3.16); concepts by IBSI's codes where IBSI defines them. */
#include <math.h>
#include <string.h>

#include "source.h"

#define COMPREHENSIVE_SR "1.2.840.10008.5.1.4.1.1.88.33"
#define OURS "99RADSEAL" /* the coding scheme of features that IBSI does not define */

#define DCM(value, meaning) ((struct rs_export_code){value, "DCM", meaning})

struct reporting {
	struct writer writer;
	const struct rs_dicom *segmentation;
	struct rs_dicom_metadata segments;
	const char *unit; /* of intensities, UCUM */
};

/* ---- content items: relation, type and name; what comes after is ended by the caller ---- */

static void begin_item(struct rs_dicom_builder *b, const char *relation, const char *type,
                       struct rs_export_code name)
{
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
	rs_dicom_builder_text(b, TAG(0040, A010), "CS", relation);
	rs_dicom_builder_text(b, TAG(0040, A040), "CS", type);
	writer_code(b, TAG(0040, A043), name);
}

static void put_text(struct rs_dicom_builder *b, const char *relation, struct rs_export_code name,
                     const char *text)
{
	begin_item(b, relation, "TEXT", name);
	rs_dicom_builder_text(b, TAG(0040, A160), "UT", text);
	rs_dicom_builder_end(b);
}

static void put_code(struct rs_dicom_builder *b, const char *relation, struct rs_export_code name,
                     struct rs_export_code value)
{
	begin_item(b, relation, "CODE", name);
	writer_code(b, TAG(0040, A168), value);
	rs_dicom_builder_end(b);
}

static void put_uid(struct rs_dicom_builder *b, const char *relation, struct rs_export_code name,
                    struct rs_str uid)
{
	begin_item(b, relation, "UIDREF", name);
	writer_view(b, TAG(0040, A124), "UI", uid);
	rs_dicom_builder_end(b);
}

static void begin_container(struct rs_dicom_builder *b, struct rs_export_code name, const char *template)
{
	begin_item(b, "CONTAINS", "CONTAINER", name);
	rs_dicom_builder_text(b, TAG(0040, A050), "CS", "SEPARATE");
	if (template) {
		rs_dicom_builder_begin(b, TAG(0040, A504));
		rs_dicom_builder_begin(b, RS_DICOM_ITEM);
		rs_dicom_builder_text(b, TAG(0008, 0105), "CS", "DCMR");
		rs_dicom_builder_text(b, TAG(0040, DB00), "CS", template);
		rs_dicom_builder_end(b);
		rs_dicom_builder_end(b);
	}
	rs_dicom_builder_begin(b, TAG(0040, A730));
}

static void end_container(struct rs_dicom_builder *b)
{
	rs_dicom_builder_end(b);
	rs_dicom_builder_end(b);
}

/* ---- measurements ---- */

/* "[image]2" of Hounsfield units is "[hnsf'U]2"; without a unit "[arb'U]2". */
static void unit_of(const struct reporting *r, const char *unit, char out[static 64])
{
	const size_t size = strlen("[image]");
	const bool of_image = strncmp(unit, "[image]", size) == 0;
	char *text RS_CLEANUP(rs_free_pointer) = of_image ? rs_text_printf("%s%s", r->unit, unit + size)
	                                                  : rs_text_printf("%s", unit);
	out[0] = '\0';
	if (text && strlen(text) < 64)
		memcpy(out, text, strlen(text) + 1);
}

/* PS3.16 table 8-1: SH has 16 characters; a feature of ours is named by what fits, its meaning says all of it. */
static void put_measurement(struct reporting *r, size_t index, const struct rs_radiomics_value *value,
                            bool by_ibsi)
{
	struct rs_dicom_builder *b = &r->writer.builder;
	char unit[64], number[17], own[17], meaning[65];
	char *code RS_CLEANUP(rs_free_pointer) = rs_text_printf("F%zu", index + 1);
	if (!code || !isfinite(value->value))
		return;
	memcpy(own, code, strlen(code) + 1);
	format_label(value->name, 0, meaning);
	format_ds(value->value, number);
	unit_of(r, value->unit, unit);
	/* A filtered image has no code of its own. */
	const bool known = value->ibsi[0] != '\0' && (by_ibsi || strncmp(value->name, "original_", 9) == 0);
	const struct rs_export_code name = {known ? value->ibsi : own, known ? "IBSI" : OURS, meaning};
	begin_item(b, "CONTAINS", "NUM", name);
	rs_dicom_builder_begin(b, TAG(0040, A300));
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
	writer_code(b, TAG(0040, 08EA),
	            strcmp(unit, "1") == 0 ? (struct rs_export_code){"1", "UCUM", "no units"}
	                                   : (struct rs_export_code){unit, "UCUM", unit});
	rs_dicom_builder_text(b, TAG(0040, A30A), "DS", number);
	rs_dicom_builder_end(b);
	rs_dicom_builder_end(b);
	/* TID 1419: by which method, and TID 4019: by which program. */
	rs_dicom_builder_begin(b, TAG(0040, A730));
	if (value->aggregation[0] != '\0')
		put_code(b, "HAS CONCEPT MOD",
		         (struct rs_export_code){"370129005", "SCT", "Measurement Method"},
		         (struct rs_export_code){value->aggregation, "IBSI",
		                                 "Aggregation of slices and directions"});
	put_text(b, "HAS CONCEPT MOD", DCM("111001", "Algorithm Name"), "radseal");
	put_text(b, "HAS CONCEPT MOD", DCM("111003", "Algorithm Version"), r->writer.maker->version);
	rs_dicom_builder_end(b);
	rs_dicom_builder_end(b);
}

static void put_segment_reference(struct reporting *r, uint32_t number)
{
	struct rs_dicom_builder *b = &r->writer.builder;
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
	rs_dicom_builder_begin(b, TAG(0008, 1199));
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
	writer_view(b, TAG(0008, 1150), "UI", r->segments.sop_class_uid);
	writer_view(b, TAG(0008, 1155), "UI", r->segments.sop_instance_uid);
	rs_dicom_builder_u16(b, TAG(0062, 000B), (uint16_t)number);
	rs_dicom_builder_end(b);
	rs_dicom_builder_end(b);
	rs_dicom_builder_text(b, TAG(0040, A010), "CS", "CONTAINS");
	rs_dicom_builder_text(b, TAG(0040, A040), "CS", "IMAGE");
	writer_code(b, TAG(0040, A043), DCM("121191", "Referenced Segment"));
	rs_dicom_builder_end(b);
}

static enum rs_code put_region(struct reporting *r, const struct rs_export_region *region,
                               struct rs_error *err)
{
	struct rs_dicom_builder *b = &r->writer.builder;
	char label[65], uid[65];
	RS_TRY(rs_dicom_uid_random(r->writer.maker->world, uid, err));
	format_label(region->label.name, region->label.value, label);
	begin_container(b, DCM("125007", "Measurement Group"), "1411");
	put_text(b, "HAS OBS CONTEXT", DCM("112039", "Tracking Identifier"), label);
	put_uid(b, "HAS OBS CONTEXT", DCM("112040", "Tracking Unique Identifier"), rs_str_from(uid));
	put_code(b, "CONTAINS", DCM("121071", "Finding"),
	         r->writer.maker->type.value ? r->writer.maker->type
	                                     : (struct rs_export_code){"108369006", "SCT", "Neoplasm"});
	put_segment_reference(r, region->label.value);
	put_uid(b, "CONTAINS", DCM("121232", "Source series for segmentation"),
	        r->writer.source->instances[0].metadata.series_instance_uid);
	for (size_t i = 0; i < region->features->count; i++)
		put_measurement(r, i, &region->features->values[i], region->by_ibsi);
	end_container(b);
	return RS_OK;
}

/* ---- the document ---- */

static void put_evidence_series(struct rs_dicom_builder *b, struct rs_str series,
                                const struct rs_export_source *source, const struct rs_dicom_metadata *one)
{
	const size_t count = one ? 1 : source->count;
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
	rs_dicom_builder_begin(b, TAG(0008, 1199));
	for (size_t i = 0; i < count; i++) {
		const struct rs_dicom_metadata *m = one ? one : &source->instances[i].metadata;
		rs_dicom_builder_begin(b, RS_DICOM_ITEM);
		writer_view(b, TAG(0008, 1150), "UI", m->sop_class_uid);
		writer_view(b, TAG(0008, 1155), "UI", m->sop_instance_uid);
		rs_dicom_builder_end(b);
	}
	rs_dicom_builder_end(b);
	writer_view(b, TAG(0020, 000E), "UI", series);
	rs_dicom_builder_end(b);
}

static void put_evidence(struct reporting *r)
{
	struct rs_dicom_builder *b = &r->writer.builder;
	const struct rs_export_source *source = r->writer.source;
	rs_dicom_builder_begin(b, TAG(0040, A375));
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
	rs_dicom_builder_begin(b, TAG(0008, 1115));
	put_evidence_series(b, r->segments.series_instance_uid, source, &r->segments);
	put_evidence_series(b, source->instances[0].metadata.series_instance_uid, source, NULL);
	rs_dicom_builder_end(b);
	writer_view(b, TAG(0020, 000D), "UI", source->instances[0].metadata.study_instance_uid);
	rs_dicom_builder_end(b);
	rs_dicom_builder_end(b);
}

static void put_empty(struct rs_dicom_builder *b, uint32_t tag)
{
	rs_dicom_builder_begin(b, tag);
	rs_dicom_builder_end(b);
}

/* IBSI is a scheme of PS3.16 table 8-1; ours has to be introduced. */
static void put_schemes(struct rs_dicom_builder *b)
{
	rs_dicom_builder_begin(b, TAG(0008, 0110));
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
	rs_dicom_builder_text(b, TAG(0008, 0102), "SH", OURS);
	rs_dicom_builder_text(b, TAG(0008, 0115), "ST",
	                      "Features by radseal's names, PyRadiomics' where it has them");
	rs_dicom_builder_text(b, TAG(0008, 0116), "ST", "radseal");
	rs_dicom_builder_end(b);
	rs_dicom_builder_end(b);
}

static void put_head(struct reporting *r)
{
	struct writer *w = &r->writer;
	const struct export_row first[] = {
		{TAG(0008, 0005), "CS", NULL, true},
		{TAG(0008, 0016), "UI", COMPREHENSIVE_SR, false},
		{TAG(0008, 0018), "UI", w->instance_uid, false},
		{TAG(0008, 0020), "DA", NULL, false},
		{TAG(0008, 0023), "DA", w->date, false},
		{TAG(0008, 0030), "TM", NULL, false},
		{TAG(0008, 0033), "TM", w->time, false},
		{TAG(0008, 0050), "SH", NULL, false},
		{TAG(0008, 0060), "CS", "SR", false},
		{TAG(0008, 0070), "LO", "radseal", false},
		{TAG(0008, 0090), "PN", NULL, false},
	};
	const struct export_row second[] = {
		{TAG(0008, 1030), "LO", NULL, true},
		{TAG(0008, 103E), "LO", "Radiomics", false},
		{TAG(0008, 1090), "LO", "radseal", false},
	};
	const struct export_row third[] = {
		{TAG(0010, 0010), "PN", NULL, false}, {TAG(0010, 0020), "LO", NULL, false},
		{TAG(0010, 0021), "LO", NULL, true},  {TAG(0010, 0030), "DA", NULL, false},
		{TAG(0010, 0040), "CS", NULL, false}, {TAG(0012, 0062), "CS", NULL, true},
		{TAG(0012, 0063), "LO", NULL, true},  {TAG(0018, 1020), "LO", w->maker->version, false},
		{TAG(0020, 000D), "UI", NULL, false}, {TAG(0020, 000E), "UI", w->series_uid, false},
		{TAG(0020, 0010), "SH", NULL, false}, {TAG(0020, 0011), "IS", "1", false},
		{TAG(0020, 0013), "IS", "1", false},
	};
	writer_rows(w, first, RS_COUNT(first));
	put_schemes(&w->builder);
	writer_rows(w, second, RS_COUNT(second));
	put_empty(&w->builder, TAG(0008, 1111));
	writer_rows(w, third, RS_COUNT(third));
}

/* TID 1204, 1001 with 1004, and the procedure. */
static void put_context(struct reporting *r)
{
	struct rs_dicom_builder *b = &r->writer.builder;
	put_code(b, "HAS CONCEPT MOD", DCM("121049", "Language of Content Item and Descendants"),
	         (struct rs_export_code){"en", "RFC5646", "English"});
	put_code(b, "HAS OBS CONTEXT", DCM("121005", "Observer Type"), DCM("121007", "Device"));
	put_uid(b, "HAS OBS CONTEXT", DCM("121012", "Device Observer UID"), rs_str_from(r->writer.extra_uid));
	put_text(b, "HAS OBS CONTEXT", DCM("121013", "Device Observer Name"), "radseal");
	put_text(b, "HAS OBS CONTEXT", DCM("121014", "Device Observer Manufacturer"), "radseal");
	put_text(b, "HAS OBS CONTEXT", DCM("121015", "Device Observer Model Name"), r->writer.maker->version);
	put_code(b, "HAS CONCEPT MOD", DCM("121058", "Procedure reported"),
	         (struct rs_export_code){"363679005", "SCT", "Imaging procedure"});
}

static enum rs_code put_content(struct reporting *r, const struct rs_export_region *regions, size_t count,
                                struct rs_error *err)
{
	struct rs_dicom_builder *b = &r->writer.builder;
	rs_dicom_builder_text(b, TAG(0040, A040), "CS", "CONTAINER");
	writer_code(b, TAG(0040, A043), DCM("126000", "Imaging Measurement Report"));
	rs_dicom_builder_text(b, TAG(0040, A050), "CS", "SEPARATE");
	put_empty(b, TAG(0040, A372));
	put_evidence(r);
	rs_dicom_builder_text(b, TAG(0040, A491), "CS", "COMPLETE");
	rs_dicom_builder_text(b, TAG(0040, A493), "CS", "UNVERIFIED");
	rs_dicom_builder_begin(b, TAG(0040, A504));
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
	rs_dicom_builder_text(b, TAG(0008, 0105), "CS", "DCMR");
	rs_dicom_builder_text(b, TAG(0040, DB00), "CS", "1500");
	rs_dicom_builder_end(b);
	rs_dicom_builder_end(b);
	rs_dicom_builder_begin(b, TAG(0040, A730));
	put_context(r);
	begin_container(b, DCM("126010", "Imaging Measurements"), NULL);
	for (size_t i = 0; i < count; i++)
		RS_TRY(put_region(r, &regions[i], err));
	end_container(b);
	rs_dicom_builder_end(b);
	return RS_OK;
}

enum rs_code rs_export_report(const struct rs_export_source *source, const struct rs_export_maker *maker,
                              const struct rs_dicom *segmentation, const struct rs_export_region *regions,
                              size_t count, struct rs_buffer *out, struct rs_error *err)
{
	struct reporting r = {.segmentation = segmentation};
	RS_TRY(rs_dicom_metadata(segmentation, &r.segments, err));
	if (!rs_str_equal_text(r.segments.modality, "SEG"))
		return rs_error_set(
			err, RS_UNSUPPORTED,
			"a report refers to segments: give a DICOM SEG as mask (export --format dicom-seg "
			"makes one)");
	r.unit = rs_str_equal_text(source->instances[0].metadata.modality, "CT") ? "[hnsf'U]" : "[arb'U]";
	RS_TRY(writer_init(&r.writer, source, maker, err));
	put_head(&r);
	enum rs_code code = put_content(&r, regions, count, err);
	if (code == RS_OK)
		return writer_file(&r.writer, COMPREHENSIVE_SR, out, err);
	rs_dicom_builder_finish(&r.writer.builder);
	return code;
}
