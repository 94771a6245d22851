/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim/engine/tlm_bus.h"
