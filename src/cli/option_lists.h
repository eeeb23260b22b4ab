/* Options that are numbers, or lists with commas between their items. */
#ifndef RS_CLI_OPTION_LISTS_H
#define RS_CLI_OPTION_LISTS_H

#include "command.h"

/* errors  RS_USAGE names the option */
enum rs_code option_number(const struct command_line *line, const char *name, double fallback, double *out,
                           struct rs_error *err);
/* "365,730" */
enum rs_code option_numbers(const struct command_line *line, const char *name, double *out, size_t most,
                            size_t *out_count, struct rs_error *err);
/* "age,sex". out_text: what the names lie in; free it. */
enum rs_code option_names(const struct command_line *line, const char *name, const char **out, size_t most,
                          size_t *out_count, char **out_text, struct rs_error *err);
/* Which of the words, which end with NULL; `fallback` when the option is not given. */
enum rs_code option_word(const struct command_line *line, const char *name, const char *const *words,
                         unsigned fallback, unsigned *out, struct rs_error *err);
/* --level, between 0 and 1 */
enum rs_code option_level(const struct command_line *line, double *out, struct rs_error *err);

#endif
