/* From a table or from operands to a list of cases. */
#include <stdio.h>
#include <string.h>

#include "cohort/cohort.h"

#define TABLE_MAX ((size_t)256 << 20)
#define ARENA_MAX ((size_t)2 << 30)

void rs_cohort_finish(struct rs_cohort *cohort)
{
	if (cohort == NULL)
		return;
	rs_csv_finish(&cohort->table);
	rs_arena_finish(&cohort->arena);
	memset(cohort, 0, sizeof *cohort);
}

/* A prefix becomes the beginning of column names: letters, digits, '-', '_', '.'. */
static enum rs_code check_prefix(struct rs_str prefix, struct rs_error *err)
{
	bool good = prefix.size > 0 && prefix.size < RS_COHORT_PREFIX_SIZE;
	for (size_t i = 0; good && i < prefix.size; i++)
		good = memchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.",
		              prefix.data[i], 65) != NULL;
	if (!good)
		return rs_error_set(err, RS_USAGE,
		                    "'" RS_STR_FORMAT
		                    "' cannot name a sequence: use up to %d letters, digits, "
		                    "'-', '_' and '.'",
		                    RS_STR_ARGUMENTS(prefix), RS_COHORT_PREFIX_SIZE - 1);
	return RS_OK;
}

static const char *keep(struct rs_cohort *cohort, struct rs_str text)
{
	char *copy = rs_arena_allocate(&cohort->arena, text.size + 1);
	if (copy != NULL && text.size > 0)
		memcpy(copy, text.data, text.size);
	return copy;
}

bool rs_cohort_label_is_plain(const char *case_label, const char *job_label)
{
	const char *text = case_label != NULL ? case_label : job_label;
	uint64_t number;
	return text == NULL || rs_parse_u64(rs_str_trim(rs_str_from(text)), &number);
}

static enum rs_code cases_allocate(struct rs_cohort *cohort, size_t count, struct rs_error *err)
{
	cohort->cases = rs_arena_allocate_array(&cohort->arena, count, sizeof *cohort->cases);
	if (cohort->cases == NULL)
		return rs_error_memory(err, count * sizeof *cohort->cases, "cases");
	cohort->count = count;
	return RS_OK;
}

/* Which columns hold an image, a mask, a label, its channel. */
struct plan {
	struct {
		const char *prefix;
		size_t image, mask;
	} images[RS_COHORT_IMAGES_MAX];
	size_t label, channel;
};

static enum rs_code plan_sequences(struct rs_cohort *cohort, struct plan *plan, struct rs_error *err)
{
	const struct rs_csv *table = &cohort->table;
	size_t shared = rs_csv_column(table, "Mask");
	for (size_t i = 0; i < table->columns; i++) {
		struct rs_str name = rs_str_from(rs_csv_name(table, i));
		char mask[RS_COHORT_PREFIX_SIZE + 8];
		if (!rs_str_starts_with(name, "Image_"))
			continue;
		if (cohort->image_count == RS_COHORT_IMAGES_MAX)
			return rs_error_set(err, RS_MALFORMED, "more than %d columns Image_…",
			                    RS_COHORT_IMAGES_MAX);
		const char *prefix = name.data + 6;
		if (check_prefix(rs_str_from(prefix), err) != RS_OK) {
			rs_error_context(err, "column '%s'", name.data);
			return err->code = RS_MALFORMED;
		}
		snprintf(mask, sizeof mask, "Mask_%s", prefix);
		size_t own = rs_csv_column(table, mask);
		if (own == RS_CSV_NO_COLUMN && shared == RS_CSV_NO_COLUMN)
			return rs_error_set(err, RS_MALFORMED, "column '%s' needs a column '%s' or 'Mask'",
			                    name.data, mask);
		plan->images[cohort->image_count].prefix = prefix;
		plan->images[cohort->image_count].image = i;
		plan->images[cohort->image_count++].mask = own != RS_CSV_NO_COLUMN ? own : shared;
	}
	return RS_OK;
}

static enum rs_code plan_columns(struct rs_cohort *cohort, struct plan *plan, struct rs_error *err)
{
	const struct rs_csv *table = &cohort->table;
	size_t image = rs_csv_column(table, "Image"), mask = rs_csv_column(table, "Mask");
	plan->label = rs_csv_column(table, "Label");
	plan->channel = rs_csv_column(table, "Label_channel");
	if (image == RS_CSV_NO_COLUMN) {
		RS_TRY(plan_sequences(cohort, plan, err));
		if (cohort->image_count > 0)
			return RS_OK;
	}
	if (image == RS_CSV_NO_COLUMN || mask == RS_CSV_NO_COLUMN)
		return rs_error_set(
			err, RS_MALFORMED,
			"the header needs the columns Image and Mask, or Image_<name> and Mask_<name> "
			"for each sequence");
	plan->images[0].prefix = "";
	plan->images[0].image = image;
	plan->images[0].mask = mask;
	cohort->image_count = 1;
	return RS_OK;
}

static enum rs_code resolve(struct rs_cohort *cohort, const char *directory, const char *cell,
                            const char **out, struct rs_error *err)
{
	struct rs_str text = rs_str_trim(rs_str_from(cell));
	const char *path = NULL;
	*out = NULL;
	if (text.size == 0)
		return RS_OK;
	if (text.data[0] == '/' || strcmp(directory, ".") == 0) {
		path = keep(cohort, text);
	} else {
		char *name = rs_str_duplicate(text);
		char *joined = name != NULL ? rs_path_join(directory, name) : NULL;
		if (joined != NULL)
			path = keep(cohort, rs_str_from(joined));
		rs_free(name);
		rs_free(joined);
	}
	if (path == NULL)
		return rs_error_memory(err, text.size, "a path");
	*out = path;
	return RS_OK;
}

/* NULL where there is no such column, or nothing in it. */
static const char *filled(const struct rs_cohort_case *item, size_t column)
{
	const char *text = column != RS_CSV_NO_COLUMN ? item->input[column] : "";
	return rs_str_trim(rs_str_from(text)).size > 0 ? text : NULL;
}

static enum rs_code fill_case(struct rs_cohort *cohort, const struct plan *plan, const char *directory,
                              size_t row, struct rs_error *err)
{
	const struct rs_csv *table = &cohort->table;
	struct rs_cohort_case *item = &cohort->cases[row];
	item->line = table->lines[row];
	item->input = &table->cells[(row + 1) * table->columns];
	for (size_t i = 0; i < cohort->image_count; i++) {
		struct rs_cohort_image *image = &item->images[i];
		image->prefix = plan->images[i].prefix;
		RS_TRY(resolve(cohort, directory, item->input[plan->images[i].image], &image->image, err));
		RS_TRY(resolve(cohort, directory, item->input[plan->images[i].mask], &image->mask, err));
	}
	item->label = filled(item, plan->label);
	item->channel = filled(item, plan->channel);
	return RS_OK;
}

static enum rs_code read_table(struct rs_cohort *cohort, const char *directory, struct rs_error *err)
{
	struct plan plan = {.label = 0};
	RS_TRY(plan_columns(cohort, &plan, err));
	cohort->directory = keep(cohort, rs_str_from(directory));
	if (cohort->directory == NULL)
		return rs_error_memory(err, strlen(directory), "a path");
	if (cohort->table.rows == 0)
		return rs_error_set(err, RS_MALFORMED, "the table has a header and no cases");
	cohort->input_count = cohort->table.columns;
	cohort->input_names = cohort->table.cells;
	RS_TRY(cases_allocate(cohort, cohort->table.rows, err));
	for (size_t row = 0; row < cohort->count; row++)
		RS_TRY(fill_case(cohort, &plan, directory, row, err));
	return RS_OK;
}

enum rs_code rs_cohort_read(const struct rs_world *world, const char *path, struct rs_cohort *out,
                            struct rs_error *err)
{
	struct rs_cohort cohort RS_CLEANUP(rs_cohort_finish) = {0};
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	char *directory RS_CLEANUP(rs_free_pointer) = rs_path_directory(path);
	if (directory == NULL)
		return rs_error_memory(err, strlen(path), "a path");
	rs_arena_init(&cohort.arena, ARENA_MAX);
	RS_TRY(rs_file_read_all(world, path, TABLE_MAX, &file, err));
	if (rs_csv_parse(rs_buffer_bytes(&file), &cohort.table, err) != RS_OK ||
	    read_table(&cohort, directory, err) != RS_OK)
		return rs_error_context(err, "%s", path);
	*out = cohort;
	memset(&cohort, 0, sizeof cohort);
	return RS_OK;
}

/* name=path, where the name is a sequence's; a path that holds '=' can be written ./path. */
static bool split_operand(const char *operand, struct rs_str *out_name, const char **out_path)
{
	const char *sign = strchr(operand, '=');
	if (sign == NULL || memchr(operand, '/', (size_t)(sign - operand)) != NULL)
		return false;
	*out_name = (struct rs_str){operand, (size_t)(sign - operand)};
	*out_path = sign + 1;
	return true;
}

static struct rs_cohort_image *find_sequence(struct rs_cohort *cohort, struct rs_str prefix)
{
	for (size_t i = 0; i < cohort->image_count; i++)
		if (rs_str_equal_text(prefix, cohort->cases[0].images[i].prefix))
			return &cohort->cases[0].images[i];
	return NULL;
}

static enum rs_code add_sequence(struct rs_cohort *cohort, struct rs_str prefix, const char *path,
                                 struct rs_error *err)
{
	RS_TRY(check_prefix(prefix, err));
	if (find_sequence(cohort, prefix) != NULL)
		return rs_error_set(err, RS_USAGE, "'" RS_STR_FORMAT "' is named twice",
		                    RS_STR_ARGUMENTS(prefix));
	if (cohort->image_count == RS_COHORT_IMAGES_MAX)
		return rs_error_set(err, RS_USAGE, "a case has at most %d images", RS_COHORT_IMAGES_MAX);
	struct rs_cohort_image *image = &cohort->cases[0].images[cohort->image_count];
	image->prefix = keep(cohort, prefix);
	if (image->prefix == NULL)
		return rs_error_memory(err, prefix.size, "a sequence's name");
	image->image = path;
	cohort->image_count++;
	return RS_OK;
}

static enum rs_code add_mask(struct rs_cohort *cohort, struct rs_str name, const char *path,
                             struct rs_error *err)
{
	struct rs_str prefix = {name.data + 5, name.size - 5}; /* after "mask:" */
	struct rs_cohort_image *image = find_sequence(cohort, prefix);
	if (image == NULL)
		return rs_error_set(err, RS_USAGE,
		                    "'" RS_STR_FORMAT "=…' is the mask of a sequence that is not named",
		                    RS_STR_ARGUMENTS(name));
	image->mask = path;
	return RS_OK;
}

static bool is_mask(struct rs_str name)
{
	return rs_str_equal_text(name, "mask") || rs_str_starts_with(name, "mask:");
}

static enum rs_code read_sequences(char *const *operands, size_t count, struct rs_cohort *cohort,
                                   struct rs_error *err)
{
	const char *shared = NULL, *path;
	struct rs_str name;
	for (size_t i = 0; i < count; i++) {
		if (!split_operand(operands[i], &name, &path))
			return rs_error_set(
				err, RS_USAGE,
				"'%s' stands among named images; write name=path for it, as t1=%s",
				operands[i], operands[i]);
		if (*path == '\0')
			return rs_error_set(err, RS_USAGE, "'%s' names no file", operands[i]);
		if (rs_str_equal_text(name, "mask"))
			shared = path;
		else if (!is_mask(name))
			RS_TRY(add_sequence(cohort, name, path, err));
	}
	for (size_t i = 0; i < count; i++)
		if (split_operand(operands[i], &name, &path) && rs_str_starts_with(name, "mask:"))
			RS_TRY(add_mask(cohort, name, path, err));
	if (cohort->image_count == 0)
		return rs_error_set(err, RS_USAGE, "no image is named");
	for (size_t i = 0; i < cohort->image_count; i++) {
		struct rs_cohort_image *image = &cohort->cases[0].images[i];
		if (image->mask == NULL)
			image->mask = shared;
		if (image->mask == NULL)
			return rs_error_set(err, RS_USAGE, "'%s' has no mask; add mask=FILE or mask:%s=FILE",
			                    image->prefix, image->prefix);
	}
	return RS_OK;
}

/* What the output shows of where the numbers come from: Image, Mask; or Image_t1, Mask_t1, … */
static enum rs_code name_inputs(struct rs_cohort *cohort, struct rs_error *err)
{
	size_t count = cohort->image_count * 2;
	const char **names = rs_arena_allocate_array(&cohort->arena, count, sizeof *names);
	const char **texts = rs_arena_allocate_array(&cohort->arena, count, sizeof *texts);
	if (names == NULL || texts == NULL)
		return rs_error_memory(err, count * 2 * sizeof *names, "a case");
	for (size_t i = 0; i < count; i++) {
		const struct rs_cohort_image *image = &cohort->cases[0].images[i / 2];
		char name[RS_COHORT_PREFIX_SIZE + 8];
		snprintf(name, sizeof name, "%s%s%s", i % 2 == 0 ? "Image" : "Mask",
		         *image->prefix ? "_" : "", image->prefix);
		texts[i] = i % 2 == 0 ? image->image : image->mask;
		names[i] = keep(cohort, rs_str_from(name));
		if (names[i] == NULL)
			return rs_error_memory(err, sizeof name, "a case");
	}
	cohort->input_count = count;
	cohort->input_names = names;
	cohort->cases[0].input = texts;
	return RS_OK;
}

enum rs_code rs_cohort_from_operands(char *const *operands, size_t count, struct rs_cohort *out,
                                     struct rs_error *err)
{
	struct rs_cohort cohort RS_CLEANUP(rs_cohort_finish) = {0};
	struct rs_str name;
	const char *path;
	rs_arena_init(&cohort.arena, ARENA_MAX);
	RS_TRY(cases_allocate(&cohort, 1, err));
	if (count > 0 && split_operand(operands[0], &name, &path)) {
		RS_TRY(read_sequences(operands, count, &cohort, err));
	} else if (count == 2) {
		cohort.cases[0].images[0] = (struct rs_cohort_image){"", operands[0], operands[1]};
		cohort.image_count = 1;
	} else {
		return rs_error_set(
			err, RS_USAGE,
			"name an image and its mask, or t1=IMAGE adc=IMAGE … mask=MASK, or a table of "
			"cases that ends in .csv");
	}
	RS_TRY(name_inputs(&cohort, err));
	cohort.directory = ".";
	*out = cohort;
	memset(&cohort, 0, sizeof cohort);
	return RS_OK;
}
