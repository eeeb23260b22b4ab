/* All services by their paths. */
#include <stdio.h>
#include <string.h>

#include "server.h"
#include "services.h"

static const struct route *const tables[] = {
	routes_health, routes_metrics,  routes_api,  routes_stow,   routes_wado,    routes_metadata,
	routes_pixels, routes_rendered, routes_qido, routes_events, routes_options,
};

void route_find(struct target *target, const char *method, struct rs_str *out_values,
                const struct route **out, char out_allowed[static ALLOWED_SIZE])
{
	struct rs_str values[VALUES_MAX];
	size_t used = 0;
	*out = NULL;
	out_allowed[0] = '\0';
	for (size_t i = 0; i < RS_COUNT(tables); i++)
		for (const struct route *at = tables[i]; at->method; at++) {
			memset(values, 0, sizeof values);
			if (!target_matches(target, at->path, values, VALUES_MAX))
				continue;
			if (strcmp(at->method, method) == 0) {
				*out = at;
				memcpy(out_values, values, sizeof values);
				return;
			}
			int size = snprintf(out_allowed + used, ALLOWED_SIZE - used, "%s%s", used ? ", " : "",
			                    at->method);
			used += (size_t)size < ALLOWED_SIZE - used ? (size_t)size : 0;
		}
}

const struct route *route_at(size_t index)
{
	for (size_t i = 0; i < RS_COUNT(tables); i++)
		for (const struct route *at = tables[i]; at->method; at++)
			if (index-- == 0)
				return at;
	return NULL;
}

size_t route_index(const struct route *route)
{
	size_t index = 0;
	while (route_at(index) != route)
		index++;
	return index;
}

size_t route_count(void) { return route_index(NULL); }
