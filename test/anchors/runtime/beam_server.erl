%% The gen_server that the benchmarks of the BEAM call, crash and count.
-module(beam_server).
-behaviour(gen_server).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

init(State) -> {ok, State}.
handle_call(ping, _From, State) -> {reply, pong, State}.
handle_cast(crash, _State) -> exit(crash).
handle_info(_Message, State) -> {noreply, State}.
