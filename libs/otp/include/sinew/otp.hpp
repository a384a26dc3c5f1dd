/// The front door of libs/otp: supervised lightweight processes with OTP's semantics.
///
/// Start with server.hpp (a process with typed handlers), supervisor.hpp (a tree of them) and application.hpp
/// (main). Tests also include <sinew/otp/simulation.hpp>.
#pragma once

#include <sinew/otp/agent.hpp>
#include <sinew/otp/application.hpp>
#include <sinew/otp/applications.hpp>
#include <sinew/otp/async.hpp>
#include <sinew/otp/call.hpp>
#include <sinew/otp/config.hpp>
#include <sinew/otp/conversation.hpp>
#include <sinew/otp/dynamic_supervisor.hpp>
#include <sinew/otp/exit_reason.hpp>
#include <sinew/otp/introspection.hpp>
#include <sinew/otp/log.hpp>
#include <sinew/otp/log_handler.hpp>
#include <sinew/otp/log_output.hpp>
#include <sinew/otp/logger.hpp>
#include <sinew/otp/mailbox.hpp>
#include <sinew/otp/messages.hpp>
#include <sinew/otp/name.hpp>
#include <sinew/otp/node.hpp>
#include <sinew/otp/observe.hpp>
#include <sinew/otp/partitions.hpp>
#include <sinew/otp/pid.hpp>
#include <sinew/otp/process.hpp>
#include <sinew/otp/process_info.hpp>
#include <sinew/otp/process_local.hpp>
#include <sinew/otp/program_crash_reports.hpp>
#include <sinew/otp/property_table.hpp>
#include <sinew/otp/pubsub.hpp>
#include <sinew/otp/receive.hpp>
#include <sinew/otp/registry.hpp>
#include <sinew/otp/request_collection.hpp>
#include <sinew/otp/server.hpp>
#include <sinew/otp/stage.hpp>
#include <sinew/otp/state_machine.hpp>
#include <sinew/otp/supervisor.hpp>
#include <sinew/otp/table.hpp>
#include <sinew/otp/task.hpp>
#include <sinew/otp/task_stream.hpp>
