/// The front door of libs/circuits: hardware lines behind one interface, on the kernel or in memory.
#pragma once

#include <sinew/circuits/board.hpp>
#include <sinew/circuits/config.hpp>
#include <sinew/circuits/edges.hpp>
#include <sinew/circuits/gpio.hpp>
#include <sinew/circuits/kernel_board.hpp>
#include <sinew/circuits/line.hpp>
#include <sinew/circuits/simulated_board.hpp>
