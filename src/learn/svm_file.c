/* Support vectors in a model's file: read strictly. */
#include <math.h>

#include "records.h"
#include "vectors.h"

#define FIELDS 9

static void write_numbers(struct rs_buffer *part, const double *values, size_t count, struct rs_buffer *out)
{
	rs_buffer_clear(part);
	for (size_t i = 0; i < count; i++)
		put_f64(part, values[i]);
	rs_cbor_write_bytes(out, rs_buffer_bytes(part));
	if (part->failed != RS_OK)
		out->failed = part->failed;
}

void rs_svm_write(const struct rs_svm *svm, struct rs_buffer *out)
{
	struct rs_buffer part RS_CLEANUP(rs_buffer_finish) = {0};
	size_t pairs = rs_svm_pairs(svm->classes);
	rs_buffer_init(&part, SIZE_MAX / 2);
	rs_cbor_write_array(out, FIELDS);
	rs_cbor_write_bool(out, svm->linear);
	rs_cbor_write_f64(out, svm->gamma);
	rs_cbor_write_array(out, svm->classes);
	for (uint32_t c = 0; c < svm->classes; c++)
		rs_cbor_write_u64(out, svm->counts[c]);
	rs_cbor_write_u64(out, svm->vector_count);
	write_numbers(&part, svm->vectors, svm->vector_count * svm->columns, out);
	write_numbers(&part, svm->coefficients, svm->vector_count * (svm->classes - 1), out);
	write_numbers(&part, svm->thresholds, pairs, out);
	write_numbers(&part, svm->slopes, pairs, out);
	write_numbers(&part, svm->offsets, pairs, out);
}

static enum rs_code wrong(struct rs_error *err, const char *what)
{
	return rs_error_set(err, RS_MALFORMED, "a model file whose %s cannot be", what);
}

/* Sizes are those of byte strings that are there: nothing is allocated for what a file only claims. */
struct parts {
	struct rs_bytes vectors, coefficients, thresholds, slopes, offsets;
	uint64_t counts[RS_SVM_CLASSES_MAX];
};

static enum rs_code read_head(struct rs_cbor_reader *reader, struct rs_svm *out, struct parts *parts,
                              struct rs_error *err)
{
	size_t fields, classes;
	uint64_t count, sum = 0;
	RS_TRY(rs_cbor_read_array(reader, "support vectors", &fields, err));
	RS_TRY(rs_cbor_read_bool(reader, "kernel", &out->linear, err));
	RS_TRY(rs_cbor_read_f64(reader, "gamma", &out->gamma, err));
	RS_TRY(rs_cbor_read_array(reader, "classes", &classes, err));
	if (fields != FIELDS || !(out->gamma > 0 && isfinite(out->gamma)) || classes < 2 ||
	    classes > RS_SVM_CLASSES_MAX)
		return wrong(err, "support vectors");
	for (size_t c = 0; c < classes; c++) {
		RS_TRY(rs_cbor_read_u64(reader, "count", &parts->counts[c], err));
		if (parts->counts[c] > UINT32_MAX)
			return wrong(err, "support vectors");
		sum += parts->counts[c];
	}
	RS_TRY(rs_cbor_read_u64(reader, "count", &count, err));
	if (count != sum || count == 0)
		return wrong(err, "support vectors");
	out->classes = (uint32_t)classes;
	out->vector_count = (size_t)count;
	return RS_OK;
}

static enum rs_code read_part(struct rs_cbor_reader *reader, const char *field, size_t count, size_t each,
                              struct rs_bytes *out, struct rs_error *err)
{
	size_t records, wanted;
	RS_TRY(read_records(reader, field, sizeof(double), out, &records, err));
	if (!rs_mul_size(count, each, &wanted) || records != wanted)
		return wrong(err, field);
	for (size_t i = 0; i < records; i++)
		if (!isfinite(f64_at(out->data + 8 * i)))
			return wrong(err, field);
	return RS_OK;
}

static void take(struct rs_bytes from, double *to)
{
	for (size_t i = 0; i < from.size / 8; i++)
		to[i] = f64_at(from.data + 8 * i);
}

enum rs_code rs_svm_read(struct rs_cbor_reader *reader, uint32_t columns, struct rs_svm *out,
                         struct rs_error *err)
{
	struct rs_svm read RS_CLEANUP(rs_svm_finish) = {.columns = columns};
	struct parts parts;
	RS_TRY(read_head(reader, &read, &parts, err));
	size_t vectors = read.vector_count, pairs = rs_svm_pairs(read.classes);
	RS_TRY(read_part(reader, "support vectors", vectors, columns, &parts.vectors, err));
	RS_TRY(read_part(reader, "coefficients", vectors, read.classes - 1, &parts.coefficients, err));
	RS_TRY(read_part(reader, "thresholds", pairs, 1, &parts.thresholds, err));
	RS_TRY(read_part(reader, "slopes", pairs, 1, &parts.slopes, err));
	RS_TRY(read_part(reader, "offsets", pairs, 1, &parts.offsets, err));
	RS_TRY(svm_allocate(&read, err));
	for (uint32_t c = 0; c < read.classes; c++)
		read.counts[c] = (uint32_t)parts.counts[c];
	take(parts.vectors, read.vectors);
	take(parts.coefficients, read.coefficients);
	take(parts.thresholds, read.thresholds);
	take(parts.slopes, read.slopes);
	take(parts.offsets, read.offsets);
	*out = read;
	read = (struct rs_svm){0};
	return RS_OK;
}
