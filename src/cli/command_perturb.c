/* radseal perturb: the cases of a table once more with other readers' masks and another scan's noise, for extract. */
#include <stdio.h>
#include <string.h>

#include "cohort/cohort.h"
#include "filter/filter_perturb.h"
#include "report.h"

#define TABLE_MAX ((size_t)256 << 20)
#define FILES_MAX 4096 /* characters of a path */

struct perturbing {
	const struct rs_cohort *cohort;
	const char *directory, *only;
	double share;
	uint64_t seed;
	struct rs_buffer table;
	struct report report;
};
static void perturbing_finish(struct perturbing *p)
{
	rs_buffer_finish(&p->table);
	report_finish(&p->report);
}

/* One case while it is perturbed. */
struct original {
	struct rs_volume image;
	struct rs_mask mask;
	uint32_t label;
	size_t number; /* from 1 */
};
static void original_finish(struct original *original)
{
	rs_volume_finish(&original->image);
	rs_mask_finish(&original->mask);
}

enum way { AS_IS, GROWN, SHRUNK, MOVED_X, MOVED_Y, NOISE, WAYS };
static const char *const ways[] = {"as_is", "grown", "shrunk", "moved_x", "moved_y", "noise"};

static bool is_wanted(const char *only, const char *way)
{
	struct rs_str rest = rs_str_from(only ? only : way), part;
	while (rs_str_split(&rest, ',', &part))
		if (rs_str_equal_text(rs_str_trim(part), way))
			return true;
	return false;
}

static enum rs_code check_only(const char *only, struct rs_error *err)
{
	struct rs_str rest = rs_str_from(only ? only : ""), part;
	while (only && rs_str_split(&rest, ',', &part)) {
		bool known = false;
		for (size_t w = 0; w < WAYS; w++)
			known |= rs_str_equal_text(rs_str_trim(part), ways[w]);
		if (!known)
			return rs_error_set(err, RS_USAGE,
			                    "--only: as_is, grown, shrunk, moved_x, moved_y and noise are "
			                    "known, " RS_STR_FORMAT " is not",
			                    RS_STR_ARGUMENTS(part));
	}
	return RS_OK;
}

/* The label asked for is the only one that is read. */
static enum rs_code read_case(const struct rs_cohort_case *from, struct original *out, struct rs_error *err)
{
	const char *label = from->label ? from->label : "1";
	struct rs_label_choice choice = {.texts = &label, .count = 1};
	uint64_t channel = 0;
	choice.has_channel = from->channel && rs_parse_u64(rs_str_from(from->channel), &channel);
	choice.channel = (uint32_t)channel;
	if (!from->images[0].image || !from->images[0].mask)
		return rs_error_set(err, RS_MALFORMED, "no image or no mask");
	RS_TRY(rs_volume_read(rs_world_system(), from->images[0].image, &out->image, err));
	RS_TRY(rs_mask_read_chosen(rs_world_system(), from->images[0].mask, &out->image.geometry, &choice,
	                           &out->mask, err));
	for (size_t v = 0; v < rs_geometry_voxels(&out->mask.geometry) && !out->label; v++)
		out->label = out->mask.labels[v];
	return out->label ? RS_OK
	                  : rs_error_set(err, RS_NOT_FOUND, "%s: no voxel has label %s", from->images[0].mask,
	                                 label);
}

static enum rs_code make_mask(const struct perturbing *p, const struct original *o, enum way way,
                              struct rs_mask *out, struct rs_error *err)
{
	static const int steps[][3] = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}};
	if (way == GROWN || way == SHRUNK)
		return rs_mask_resize(&o->mask, o->label, way == GROWN ? p->share : -p->share,
		                      p->seed + o->number, out, err);
	return rs_mask_shift(&o->mask, o->label,
	                     steps[way == MOVED_X   ? 1
	                           : way == MOVED_Y ? 2
	                                            : 0],
	                     out, err);
}

/* Writes a mask for each way, and returns the two names of files that the table tells. */
static enum rs_code write_way(const struct perturbing *p, const struct original *o, enum way way,
                              char image[64], char mask[64], struct rs_error *err)
{
	struct rs_mask made RS_CLEANUP(rs_mask_finish) = {0};
	struct rs_volume noisy RS_CLEANUP(rs_volume_finish) = {0};
	char path[FILES_MAX];
	bool noise = way == NOISE;
	snprintf(image, 64, "%zu_%s.nrrd", o->number, noise ? "noise" : "image");
	snprintf(mask, 64, "%zu_%s_mask.nrrd", o->number, ways[way]);
	RS_TRY(make_mask(p, o, way, &made, err));
	snprintf(path, sizeof path, "%s/%s", p->directory, mask);
	RS_TRY(rs_mask_write(rs_world_system(), path, &made, err));
	if (!noise)
		return RS_OK;
	RS_TRY(rs_volume_add_noise(&o->image, rs_volume_noise(&o->image), p->seed + o->number, &noisy, err));
	snprintf(path, sizeof path, "%s/%s", p->directory, image);
	return rs_volume_write(rs_world_system(), path, &noisy, err);
}

static bool is_copied(const char *column)
{
	return strcmp(column, "Image") != 0 && strcmp(column, "Mask") != 0 && strcmp(column, "Label") != 0 &&
	       strcmp(column, "Label_channel") != 0;
}

static void append_cells(struct perturbing *p, const char *const *cells, const char *measurement,
                         const char *image, const char *mask)
{
	for (size_t c = 0; c < p->cohort->input_count; c++) {
		if (!is_copied(p->cohort->input_names[c]))
			continue;
		rs_csv_append(&p->table, cells[c]);
		rs_buffer_append_text(&p->table, ",");
	}
	rs_csv_append(&p->table, measurement);
	rs_buffer_append_text(&p->table, ",");
	rs_csv_append(&p->table, image);
	rs_buffer_append_text(&p->table, ",");
	rs_csv_append(&p->table, mask);
	rs_buffer_append_text(&p->table, "\n");
}

static enum rs_code perturb_case(struct perturbing *p, size_t index, struct rs_error *err)
{
	const struct rs_cohort_case *from = &p->cohort->cases[index];
	struct original original RS_CLEANUP(original_finish) = {.number = index + 1};
	char path[FILES_MAX], image[64], mask[64];
	RS_TRY(read_case(from, &original, err));
	snprintf(path, sizeof path, "%s/%zu_image.nrrd", p->directory, original.number);
	RS_TRY(rs_volume_write(rs_world_system(), path, &original.image, err));
	for (int w = 0; w < WAYS; w++) {
		if (!is_wanted(p->only, ways[w]))
			continue;
		RS_TRY(write_way(p, &original, (enum way)w, image, mask, err));
		append_cells(p, from->input, ways[w], image, mask);
		report_row(&p->report,
		           (struct field[]){
				   {"measurement", ways[w], 10}, {"image", image, 20}, {"mask", mask, 1}},
		           3);
	}
	return RS_OK;
}

static enum rs_code perturb_all(struct perturbing *p, struct rs_error *err)
{
	char path[FILES_MAX];
	if (p->cohort->image_count != 1)
		return rs_error_set(err, RS_USAGE, "perturb takes tables with one column Image and one Mask");
	for (size_t c = 0; c < p->cohort->input_count; c++)
		if (strcmp(p->cohort->input_names[c], "Measurement") == 0)
			return rs_error_set(err, RS_USAGE, "the table has a column Measurement already");
	RS_TRY(rs_directory_make(rs_world_system(), p->directory, err));
	append_cells(p, p->cohort->input_names, "Measurement", "Image", "Mask");
	for (size_t i = 0; i < p->cohort->count; i++)
		if (perturb_case(p, i, err) != RS_OK)
			return rs_error_context(err, "case %zu (line %zu)", i + 1, p->cohort->cases[i].line);
	RS_TRY(rs_buffer_check(&p->table, "a table of cases", err));
	snprintf(path, sizeof path, "%s/cases.csv", p->directory);
	return rs_file_replace(rs_world_system(), path, rs_buffer_bytes(&p->table), 0644, err);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct perturbing perturbing RS_CLEANUP(perturbing_finish) = {
		.directory = option_value(line, "output"), .only = option_value(line, "only")};
	struct rs_cohort cohort RS_CLEANUP(rs_cohort_finish) = {0};
	uint64_t percent;
	if (line->operand_count != 1 || !perturbing.directory ||
	    strlen(perturbing.directory) > FILES_MAX - 80)
		return rs_error_set(err, RS_USAGE,
		                    "perturb: one table of cases, and --output DIR for what comes of it");
	RS_TRY(option_u64(line, "volume", 10, 99, &percent, err));
	RS_TRY(option_u64(line, "seed", 1, UINT64_MAX, &perturbing.seed, err));
	RS_TRY(check_only(perturbing.only, err));
	perturbing.share = (double)percent / 100;
	RS_TRY(rs_cohort_read(rs_world_system(), line->operands[0], &cohort, err));
	perturbing.cohort = &cohort;
	rs_buffer_init(&perturbing.table, TABLE_MAX);
	report_begin(&perturbing.report, line, true);
	RS_TRY(perturb_all(&perturbing, err));
	return report_end(&perturbing.report, err);
}

static const struct option options[] = {
	{"output", "DIR", "where images, masks and cases.csv go"},
	{"volume", "PERCENT", "by which masks grow and shrink (10)"},
	{"only", "LIST", "of as_is, grown, shrunk, moved_x, moved_y, noise; otherwise all"},
	{"seed", "N", "of what is drawn (1)"},
	{NULL, NULL, NULL},
};
static const struct alias aliases[] = {{"-o", "output"}, {NULL, NULL}};
static const struct example examples[] = {
	{"radseal perturb some_cases.csv -o again/ && radseal extract again/cases.csv -o repeats.csv",
         "for \"repeated: {table: repeats.csv, measurement: Measurement}\" in a study, and its step stable"},
	{NULL, NULL},
};

const struct command command_perturb = {
	.name = "perturb",
	.arguments = "CASES.csv -o DIR",
	.summary = "measure cases again, as if others had drawn and scanned them",
	.description =
		"Of every case of the table (columns as for extract) it writes: the mask as it is, grown and shrunk by a\n"
		"share of its voxels (whole layers at faces, the last one drawn), moved by a voxel along x and along y;\n"
		"and the image with as much noise again as it has (Immerkaer's estimate). The new table names the\n"
		"measurement beside the columns of the old one. Regions that would leave the image are refused.",
	.options = options,
	.examples = examples,
	.aliases = aliases,
	.run = run,
};
