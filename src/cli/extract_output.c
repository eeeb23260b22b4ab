/* Rows to a document. A file grows under a temporary name, piece by piece, and appears when it is whole. */
#include "extract_output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session.h"

#define PIECE ((size_t)1 << 20)
#define PENDING_MAX ((size_t)1 << 30)

void output_finish(struct output *output)
{
	rs_file_close(output->file);
	output->file = NULL;
	if (output->temporary != NULL)
		(void)output->world->files->remove(output->world->files, output->temporary, NULL);
	rs_free(output->temporary);
	output->temporary = NULL;
	rs_buffer_finish(&output->pending);
}

static enum rs_code flush(struct output *output, struct rs_error *err)
{
	struct rs_bytes bytes = rs_buffer_bytes(&output->pending);
	RS_TRY(rs_buffer_check(&output->pending, "the result", err));
	if (output->file != NULL)
		RS_TRY(rs_file_write_at(output->file, output->written, bytes.data, bytes.size, err));
	else
		RS_TRY(session_write(NULL, bytes, err));
	output->written += bytes.size;
	rs_buffer_clear(&output->pending);
	return RS_OK;
}

static enum rs_code open_temporary(struct output *output, struct rs_error *err)
{
	const struct rs_files *files = output->world->files;
	output->temporary = rs_text_printf("%s.new", output->path);
	if (output->temporary == NULL)
		return rs_error_memory(err, strlen(output->path), "a path");
	return files->open(files, output->temporary, RS_OPEN_WRITE | RS_OPEN_CREATE | RS_OPEN_TRUNCATE, 0644,
	                   &output->file, err);
}

enum rs_code output_columns(void *context, const struct rs_cohort_column *columns, size_t count,
                            struct rs_error *err)
{
	struct output *output = context;
	output->columns = columns;
	output->column_count = count;
	rs_buffer_init(&output->pending, PENDING_MAX);
	if (output->path != NULL)
		RS_TRY(open_temporary(output, err));
	for (size_t i = 0; i < count && output->format == OUTPUT_CSV; i++) {
		rs_buffer_append_text(&output->pending, i > 0 ? "," : "");
		rs_csv_append(&output->pending, columns[i].name);
	}
	if (output->format == OUTPUT_CSV)
		rs_buffer_append_text(&output->pending, "\n");
	return RS_OK;
}

static bool is_path_column(const char *name)
{
	return strcmp(name, "Image") == 0 || strcmp(name, "Mask") == 0 || strncmp(name, "Image_", 6) == 0 ||
	       strncmp(name, "Mask_", 5) == 0;
}

/* Both absolute; with as many "../" as it takes. */
static char *relative_path(const char *from, const char *to)
{
	size_t common = 0, ups = 0;
	char *up = NULL, *whole;
	for (size_t i = 0; from[i] == to[i] && from[i] != '\0'; i++)
		if (from[i] == '/')
			common = i;
	if (strncmp(from, to, strlen(from)) == 0 && to[strlen(from)] == '/')
		common = strlen(from);
	for (const char *p = from + common; *p != '\0'; p++)
		ups += *p == '/' && p[1] != '\0';
	up = rs_allocate(ups * 3 + 1);
	for (size_t i = 0; up != NULL && i < ups; i++)
		memcpy(up + i * 3, "../", 3);
	whole = up != NULL ? rs_text_printf("%s%s", up, to + common + 1) : NULL;
	rs_free(up);
	return whole;
}

/* From an absolute directory, without ".", ".." and empty names; a new text. */
static char *absolute_path(const char *directory, const char *path)
{
	char *joined = *path == '/' ? rs_str_duplicate(rs_str_from(path)) : rs_path_join(directory, path);
	struct rs_str rest = rs_str_from(joined), name;
	size_t used = 0;
	while (joined != NULL && rs_str_split(&rest, '/', &name)) {
		if (name.size == 0 || rs_str_equal_text(name, "."))
			continue;
		if (rs_str_equal_text(name, "..")) {
			while (used > 0 && joined[--used] != '/')
				;
			continue;
		}
		joined[used] = '/';
		memmove(joined + used + 1, name.data, name.size); /* never past where it came from */
		used += 1 + name.size;
	}
	if (joined != NULL)
		joined[used > 0 ? used : 1] = '\0';
	return joined;
}

/* A path as --format-path wants it, where it is a path from the table's directory; a new text, or NULL to leave it as it is. */
static char *reformed(const struct output *output, const char *path)
{
	char here[4096];
	if (*path == '\0' || output->paths == PATHS_AS_GIVEN || getcwd(here, sizeof here) == NULL)
		return NULL;
	if (output->paths == PATHS_BASENAME)
		return rs_str_duplicate(rs_str_from(rs_path_name(path)));
	char *base = absolute_path(here, output->cohort->directory);
	char *absolute = base != NULL ? absolute_path(base, path) : NULL;
	if (output->paths == PATHS_RELATIVE && absolute != NULL) {
		char *relative = relative_path(base, absolute);
		rs_free(absolute);
		absolute = relative;
	}
	rs_free(base);
	return absolute;
}

static void json_cell(struct rs_json *json, struct output *output, enum rs_column_kind kind, const char *text)
{
	double value;
	if (kind == RS_COLUMN_TEXT) {
		rs_json_text(json, text);
	} else if (rs_parse_f64(rs_str_from(text), &value)) {
		rs_json_f64(json, value);
	} else if (*text == '\0') {
		rs_json_null(json);
	} else {
		json->after_key = false;
		rs_buffer_append_text(&output->pending, text); /* valid JSON by its contract */
	}
}

static bool left_out(const struct output *output, enum rs_column_kind kind, const char *text)
{
	return output->skip_nans && kind == RS_COLUMN_NUMBER && strcmp(text, "nan") == 0;
}

static void json_row(struct output *output, const char *const *cells)
{
	struct rs_json json;
	rs_buffer_append_text(&output->pending, output->row_count > 0 ? ",\n" : output->array ? "[\n" : "");
	rs_json_init(&json, &output->pending, true);
	rs_json_object_begin(&json);
	for (size_t i = 0; i < output->column_count; i++) {
		if (left_out(output, output->columns[i].kind, cells[i]))
			continue;
		rs_json_key(&json, output->columns[i].name);
		json_cell(&json, output, output->columns[i].kind, cells[i]);
	}
	rs_json_object_end(&json);
}

/* Lists of numbers get round brackets in text and CSV, as PyRadiomics writes them; scripts take them apart. */
static bool kept_as_json(const struct rs_cohort_column *column, const char *text)
{
	return column->kind != RS_COLUMN_JSON || *text != '[';
}

static void csv_row(struct rs_buffer *out, const struct rs_cohort_column *columns, size_t count,
                    const char *const *cells)
{
	for (size_t i = 0; i < count; i++) {
		rs_buffer_append_text(out, i > 0 ? "," : "");
		if (kept_as_json(&columns[i], cells[i])) {
			rs_csv_append(out, cells[i]);
			continue;
		}
		rs_buffer_append_text(out, "\"(");
		rs_buffer_append(out, cells[i] + 1, strlen(cells[i]) - 2);
		rs_buffer_append_text(out, ")\"");
	}
	rs_buffer_append_text(out, "\n");
}

static void text_row(struct output *output, size_t index, const char *const *cells)
{
	for (size_t i = 0; i < output->column_count; i++) {
		const struct rs_cohort_column *column = &output->columns[i];
		bool list = !kept_as_json(column, cells[i]);
		bool empty = *cells[i] == '\0' && column->origin != RS_COLUMN_INPUT;
		if (empty || left_out(output, column->kind, cells[i]))
			continue;
		rs_buffer_printf(&output->pending, "Case-%zu_%s: %s%.*s%s\n", index + 1, column->name,
		                 list ? "(" : "", list ? (int)strlen(cells[i]) - 2 : (int)strlen(cells[i]),
		                 cells[i] + list, list ? ")" : "");
	}
}

/* features_3.csv, as PyRadiomics names it; of a case with several regions features_3_label-2.csv and so on. */
static enum rs_code write_own_table(const struct output *output, size_t index, const char *const *cells,
                                    struct rs_error *err)
{
	struct rs_buffer table RS_CLEANUP(rs_buffer_finish) = {0};
	const char *label = "";
	bool plain = rs_cohort_label_is_plain(output->cohort->cases[index].label, output->label);
	rs_buffer_init(&table, PENDING_MAX);
	for (size_t i = 0; i < output->column_count; i++) {
		rs_buffer_append_text(&table, i > 0 ? "," : "");
		rs_csv_append(&table, output->columns[i].name);
		if (!plain && strcmp(output->columns[i].name, "Label") == 0)
			label = cells[i];
	}
	rs_buffer_append_text(&table, "\n");
	csv_row(&table, output->columns, output->column_count, cells);
	RS_TRY(rs_buffer_check(&table, "a table", err));
	char name[96];
	snprintf(name, sizeof name, "features_%zu%s%.40s.csv", index + 1, *label ? "_label-" : "", label);
	for (char *p = name; *p != '\0'; p++)
		*p = *p == '/' ? '-' : *p; /* labels may be names of any kind */
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(output->directory, name);
	if (path == NULL)
		return rs_error_memory(err, sizeof name, "a path");
	return rs_file_replace(output->world, path, rs_buffer_bytes(&table), 0644, err);
}

static enum rs_code write_row(struct output *output, size_t index, const char *const *cells,
                              struct rs_error *err)
{
	if (output->directory != NULL)
		RS_TRY(write_own_table(output, index, cells, err));
	if (output->format == OUTPUT_JSON)
		json_row(output, cells);
	else if (output->format == OUTPUT_CSV)
		csv_row(&output->pending, output->columns, output->column_count, cells);
	else
		text_row(output, index, cells);
	output->row_count++;
	return output->pending.size > PIECE || output->pending.failed ? flush(output, err) : RS_OK;
}

enum rs_code output_row(void *context, size_t index, const char *const *cells, struct rs_error *err)
{
	struct output *output = context;
	if (output->paths == PATHS_AS_GIVEN)
		return write_row(output, index, cells, err);
	const char **changed = rs_allocate_array(output->column_count, sizeof *changed);
	char **texts = rs_allocate_array(output->column_count, sizeof *texts);
	enum rs_code code = RS_OK;
	if (changed == NULL || texts == NULL)
		code = rs_error_memory(err, output->column_count * sizeof *texts, "a row");
	for (size_t i = 0; code == RS_OK && i < output->column_count; i++) {
		texts[i] = is_path_column(output->columns[i].name) ? reformed(output, cells[i]) : NULL;
		changed[i] = texts[i] != NULL ? texts[i] : cells[i];
	}
	if (code == RS_OK)
		code = write_row(output, index, changed, err);
	for (size_t i = 0; texts != NULL && i < output->column_count; i++)
		rs_free(texts[i]);
	rs_free(texts);
	rs_free(changed);
	return code;
}

enum rs_code output_end(struct output *output, struct rs_error *err)
{
	const struct rs_files *files = output->world->files;
	if (output->format == OUTPUT_JSON)
		rs_buffer_append_text(&output->pending, output->array ? "\n]\n" : "\n");
	RS_TRY(flush(output, err));
	if (output->file == NULL)
		return RS_OK;
	char *directory RS_CLEANUP(rs_free_pointer) = rs_path_directory(output->path);
	if (directory == NULL)
		return rs_error_memory(err, strlen(output->path), "a path");
	RS_TRY(rs_file_sync(output->file, err));
	rs_file_close(output->file);
	output->file = NULL;
	RS_TRY(files->rename(files, output->temporary, output->path, err));
	rs_free(output->temporary);
	output->temporary = NULL;
	return files->sync_directory(files, directory, err);
}
