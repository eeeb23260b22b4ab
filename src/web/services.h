/* The tables of all services. */
#ifndef RS_WEB_SERVICES_H
#define RS_WEB_SERVICES_H

#include "service.h"

extern const struct route routes_health[], routes_login[], routes_metrics[];

#endif
