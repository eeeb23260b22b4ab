/* A vector's file is named after its case: Case-3_t1_label-2.features; its receipt lies with the node's. */
#include "extract_seal.h"

#include <stdio.h>
#include <string.h>

#include "workflow/workflow_features.h"
#include "workflow/workflow.h"

#define VECTOR_MAX ((size_t)16 << 20)

static enum rs_code encode(const struct rs_cohort_vector *vector, struct rs_buffer *out, struct rs_error *err)
{
	const struct rs_radiomics_result *result = vector->result;
	struct rs_named_value *values RS_CLEANUP(rs_free_pointer) = rs_allocate_array(result->count,
	                                                                              sizeof *values);
	if (values == NULL)
		return rs_error_memory(err, result->count * sizeof *values, "a vector");
	for (size_t i = 0; i < result->count; i++)
		values[i] = (struct rs_named_value){result->values[i].name, result->values[i].value};
	const struct rs_features features = {
		.version = RADSEAL_VERSION,
		.settings = vector->settings,
		.images = vector->image_files,
		.image_count = vector->image_count,
		.masks = vector->mask_files,
		.mask_count = vector->mask_count,
		.sequence = vector->prefix,
		.label = vector->label,
		.values = values,
		.value_count = result->count,
	};
	rs_buffer_init(out, VECTOR_MAX);
	return rs_features_encode(&features, out, err);
}

struct admitted {
	char *receipt;
	struct rs_error error;
};

static void take(void *context, const struct rs_admit_result *result)
{
	struct admitted *admitted = context;
	if (result->outcome == RS_ADMIT_SEALED || result->outcome == RS_ADMIT_KNOWN)
		admitted->receipt = rs_str_duplicate(rs_str_from(result->receipt_path));
	else
		admitted->error = result->error;
}

static enum rs_code admit(struct sealer *sealer, char *path, char **out_receipt, struct rs_error *err)
{
	struct admitted admitted = {.receipt = NULL};
	const struct rs_admit_options options = {.report = take, .context = &admitted};
	char *const paths[] = {path};
	pthread_mutex_lock(&sealer->mutex);
	enum rs_code code = rs_node_admit(sealer->node, paths, 1, &options, err);
	rs_node_rest(sealer->node); /* measuring the next one takes long */
	pthread_mutex_unlock(&sealer->mutex);
	if (code == RS_OK && admitted.receipt == NULL)
		code = rs_error_memory(err, strlen(path), "a receipt's path");
	if (code == RS_OK)
		*out_receipt = admitted.receipt;
	else
		rs_free(admitted.receipt);
	return code;
}

enum rs_code sealer_seal(void *context, const struct rs_cohort_vector *vector, char **out_receipt,
                         struct rs_error *err)
{
	struct sealer *sealer = context;
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(encode(vector, &text, err));
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf(
		"%s/Case-%zu%s%s_label-%s.features", sealer->directory, vector->index + 1,
		*vector->prefix ? "_" : "", vector->prefix, vector->label);
	if (path == NULL)
		return rs_error_memory(err, strlen(sealer->directory), "a path");
	RS_TRY(rs_file_replace(rs_world_system(), path, rs_buffer_bytes(&text), 0644, err));
	return admit(sealer, path, out_receipt, err);
}
