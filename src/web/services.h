/* The tables of all services. */
#ifndef RS_WEB_SERVICES_H
#define RS_WEB_SERVICES_H

#include "service.h"

extern const struct route routes_health[], routes_metrics[], routes_stow[], routes_wado[], routes_metadata[],
	routes_pixels[], routes_qido[], routes_rendered[], routes_options[], routes_events[];

/* The operations of api.h, as routes, once they are prepared. */
void api_prepare(void);
extern struct route routes_api[];

#endif
