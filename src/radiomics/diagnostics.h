/* What was measured, beside the numbers; see diagnostics.c. */
#ifndef RS_RADIOMICS_DIAGNOSTICS_H
#define RS_RADIOMICS_DIAGNOSTICS_H

#include "radiomics/case.h"

/* volume, mask: as they were given; work: what became of them */
enum rs_code diagnostics_build(const struct rs_volume *volume, const struct rs_mask *mask,
                               const struct radiomics_case *work,
                               const struct rs_radiomics_settings *settings,
                               struct rs_radiomics_result *result, struct rs_error *err);

/* The same names without texts. */
enum rs_code diagnostics_plan(const struct rs_radiomics_settings *settings,
                              struct rs_radiomics_result *result, struct rs_error *err);

/* For the mode ibsi, whose other entries are its own: room for `count` entries; version and hashes, the same empty. */
#define DIAGNOSTICS_IDENTITY 3
enum rs_code diagnostics_allocate(size_t count, struct rs_radiomics_result *result, struct rs_error *err);
enum rs_code diagnostics_identify(const struct rs_volume *volume, const struct rs_mask *mask,
                                  struct rs_radiomics_result *result, struct rs_error *err);
void diagnostics_plan_identity(struct rs_radiomics_result *result);
/* After the last entry: whether memory lacked for the text of one. */
enum rs_code diagnostics_check(const struct rs_radiomics_result *result, struct rs_error *err);

/* Settings and image types in force, each as one JSON object; *out: a new text (rs_free). */
enum rs_code configuration_settings(const struct rs_radiomics_settings *settings, char **out,
                                    struct rs_error *err);
enum rs_code configuration_images(const struct rs_radiomics_settings *settings, char **out,
                                  struct rs_error *err);

#endif
