%% erl -noshell -run beam_peer main CASE: what the BEAM needs for the cases of libs/otp/bench.
%% Prints lines `CASE METRIC VALUE UNIT`.
-module(beam_peer).
-behaviour(supervisor).
-export([main/1, init/1]).

main([Name]) ->
    logger:set_primary_config(level, none),
    run(list_to_atom(Name)),
    halt(0).

run(halt) -> ok;
run(idle) ->
    report(idle, memory, resident_bytes() / 1048576, "MiB");
run(pingpong) ->
    Count = 1000000,
    Echo = spawn(fun echo/0),
    timed(pingpong, round_trips, Count, fun() -> ping(Count, Echo) end);
run(parcel) ->
    Count = 1000000,
    Echo = spawn(fun echo/0),
    Bytes = binary:copy(<<7>>, 65536),
    timed(parcel, round_trips, Count, fun() -> pass(Count, Echo, Bytes) end);
run(call1) -> calls(call1, 1);
run(call100) -> calls(call100, 100);
run(ring) ->
    Hops = 3000000,
    Self = self(),
    First = spawn(fun() -> receive {next, Next} -> pass_on(Next, Self) end end),
    Last = lists:foldl(fun(_, Previous) -> spawn(fun() -> pass_on(Previous, Self) end) end, First, lists:seq(2, 1000)),
    First ! {next, Last},
    timed(ring, hops, Hops, fun() -> Last ! Hops, receive done -> ok end end);
run(fanin2) -> fan_in(fanin2, 2);
run(fanin100) -> fan_in(fanin100, 100);
run(pairs) ->
    {Pairs, Each} = {5000, 200},
    Self = self(),
    Pingers = [spawn(fun() ->
        Echo = spawn_link(fun echo/0),
        receive go -> ok end,
        ping(Each, Echo),
        Self ! done
    end) || _ <- lists:seq(1, Pairs)],
    timed(pairs, messages, 2 * Pairs * Each, fun() -> start_and_wait(Pingers) end);
run(spawn_exit) ->
    Count = 1000000,
    Before = erlang:system_info(process_count),
    timed(spawn_exit, processes, Count, fun() -> spawn_many(Count), wait_for_count(Before) end);
run(memory) ->
    Count = 100000,
    Before = resident_bytes(),
    [{ok, _} = gen_server:start(beam_server, 0, []) || _ <- lists:seq(1, Count)],
    timer:sleep(300),
    report(memory, bytes, (resident_bytes() - Before) / Count, "B");
run(restart) ->
    Count = 10000,
    {ok, _} = supervisor:start_link(?MODULE, []),
    Start = now_ns(),
    Times = [begin
        Crashed = now_ns(),
        gen_server:cast(victim, crash),
        ask_until_answered(),
        now_ns() - Crashed
    end || _ <- lists:seq(1, Count)],
    report_rate(restart, restarts, Count, now_ns() - Start),
    percentiles(restart, crash_to_answer, Times, 1000, "us");
run(timers) ->
    Count = 1000000,
    Before = resident_bytes(),
    Start = now_ns(),
    Timers = [erlang:send_after(20000 + I rem 3000, self(), alarm) || I <- lists:seq(1, Count)],
    Set = now_ns(),
    report_rate(timers, set, Count, Set - Start),
    report(timers, bytes, (resident_bytes() - Before) / Count, "B"),
    timed(timers, cancel, Count, fun() -> [erlang:cancel_timer(Timer) || Timer <- Timers] end);
run(timers_late) ->
    Count = 1000000,
    rand:seed(exsss, 42),
    set_alarms(Count, self()),
    Late = [receive {alarm, Due} -> now_ns() - Due end || _ <- lists:seq(1, Count)],
    percentiles(timers_late, late, Late, 1000000, "ms");
run(hot) ->
    {Clients, Each} = {100, 2000},
    Self = self(),
    Hot = spawn(fun spinner/0),
    Cold = list_to_tuple([spawn(fun spinner/0) || _ <- lists:seq(1, 999)]),
    Pids = [spawn(fun() -> receive go -> ok end, ask_mostly_one(Each, I, Hot, Cold), Self ! done end)
            || I <- lists:seq(1, Clients)],
    timed(hot, calls, Clients * Each, fun() -> start_and_wait(Pids) end);
run(table) ->
    Count = 1000000,
    Table = ets:new(table, [set, public, {read_concurrency, true}]),
    timed(table, insert, Count, fun() -> [ets:insert(Table, {N, N}) || N <- lists:seq(1, Count)] end),
    timed(table, lookup, Count, fun() -> look_up(Count, Table) end);
%% As Elixir's Registry does it: a look into an ETS table, and whether that process still lives.
run(registry) ->
    {Names, Count} = {1000, 1000000},
    Table = ets:new(names, [set, public, {read_concurrency, true}]),
    Keys = list_to_tuple([iolist_to_binary(["sensor-", integer_to_list(N)]) || N <- lists:seq(1, Names)]),
    [ets:insert(Table, {Key, spawn(fun sleeper/0)}) || Key <- tuple_to_list(Keys)],
    timed(registry, lookup, Count, fun() -> look_up_names(Count, Table, Keys) end);
%% OTP's own process groups.
run(pubsub) ->
    {Subscribers, Rounds} = {1000, 1000},
    {ok, _} = pg:start_link(),
    Self = self(),
    [begin
        Pid = spawn(fun() -> hear(Rounds), Self ! done end),
        ok = pg:join(news, Pid)
    end || _ <- lists:seq(1, Subscribers)],
    timed(pubsub, deliveries_1000, Subscribers * Rounds, fun() ->
        publish(Rounds),
        [receive done -> ok end || _ <- lists:seq(1, Subscribers)]
    end);
%% As Elixir's Task does it: a linked process with a monitor, which tells it where to answer.
run(task) ->
    Count = 500000,
    Self = self(),
    timed(task, async_await, Count, fun() ->
        spawn(fun() -> await_tasks(Count), Self ! done end),
        receive done -> ok end
    end);
run(dynamic_supervisor) ->
    Count = 100000,
    {ok, Supervisor} = supervisor:start_link(?MODULE, dynamic),
    timed(dynamic_supervisor, start_stop, Count, fun() -> start_and_stop(Count, Supervisor) end);
run(hogs) ->
    {ok, Server} = gen_server:start(beam_server, 0, []),
    [spawn(fun() -> hog(1) end) || _ <- lists:seq(1, 100)],
    timer:sleep(500),
    Times = [begin
        Start = now_ns(),
        pong = gen_server:call(Server, ping, infinity),
        now_ns() - Start
    end || _ <- lists:seq(1, 300)],
    percentiles(hogs, call, Times, 1000, "us").

calls(Name, Clients) ->
    Count = 500000,
    {ok, Server} = gen_server:start(beam_server, 0, []),
    Self = self(),
    Pids = [spawn(fun() -> receive go -> ok end, call(Count div Clients, Server), Self ! done end)
            || _ <- lists:seq(1, Clients)],
    timed(Name, calls, Count, fun() -> start_and_wait(Pids) end).

fan_in(Name, Producers) ->
    Count = 2000000,
    Each = Count div Producers,
    Self = self(),
    Sink = spawn_opt(fun() -> sink(Each * Producers), Self ! done end, [{message_queue_data, off_heap}]),
    Pids = [spawn(fun() -> receive go -> flood(Each, Sink) end end) || _ <- lists:seq(1, Producers)],
    timed(Name, messages, Each * Producers, fun() -> [Pid ! go || Pid <- Pids], receive done -> ok end end).

now_ns() -> erlang:monotonic_time(nanosecond).
report(Name, Metric, Value, Unit) -> io:format("~s ~s ~.3f ~s~n", [Name, Metric, float(Value), Unit]).
report_rate(Name, Metric, Count, Ns) -> report(Name, Metric, Count * 1.0e9 / Ns, "ops/s").
timed(Name, Metric, Count, Work) ->
    Start = now_ns(),
    Work(),
    report_rate(Name, Metric, Count, now_ns() - Start).
percentiles(Name, Metric, Values, Divisor, Unit) ->
    Sorted = list_to_tuple(lists:sort(Values)),
    At = fun(Part) -> element(max(1, ceil(tuple_size(Sorted) * Part)), Sorted) / Divisor end,
    report(Name, atom_to_list(Metric) ++ ".p50", At(0.5), Unit),
    report(Name, atom_to_list(Metric) ++ ".p99", At(0.99), Unit).
resident_bytes() ->
    {ok, Text} = file:read_file("/proc/self/statm"),
    [_, Pages | _] = binary:split(Text, <<" ">>, [global]),
    binary_to_integer(Pages) * 4096.

start_and_wait(Pids) ->
    [Pid ! go || Pid <- Pids],
    [receive done -> ok end || _ <- Pids].
echo() -> receive {From, Message} -> From ! Message, echo() end.
ping(0, _) -> ok;
ping(N, Echo) -> Echo ! {self(), N}, receive N -> ping(N - 1, Echo) end.
pass(0, _, _) -> ok;
pass(N, Echo, Bytes) -> Echo ! {self(), Bytes}, receive Back when is_binary(Back) -> pass(N - 1, Echo, Back) end.
call(0, _) -> ok;
call(N, Server) -> pong = gen_server:call(Server, ping), call(N - 1, Server).
pass_on(Next, Owner) ->
    receive
        0 -> Owner ! done;
        N -> Next ! N - 1, pass_on(Next, Owner)
    end.
sink(0) -> ok;
sink(N) -> receive {message, _} -> sink(N - 1) end.
flood(0, _) -> ok;
flood(N, Sink) -> Sink ! {message, N}, flood(N - 1, Sink).
spawn_many(0) -> ok;
spawn_many(N) -> spawn(fun() -> ok end), spawn_many(N - 1).
wait_for_count(Count) ->
    case erlang:system_info(process_count) =< Count of
        true -> ok;
        false -> erlang:yield(), wait_for_count(Count)
    end.
ask_until_answered() ->
    try gen_server:call(victim, ping) of
        pong -> ok
    catch
        exit:_ -> erlang:yield(), ask_until_answered()
    end.
look_up(0, _) -> ok;
look_up(N, Table) -> [_] = ets:lookup(Table, N), look_up(N - 1, Table).
look_up_names(0, _, _) -> ok;
look_up_names(N, Table, Keys) ->
    [{_, Pid}] = ets:lookup(Table, element(1 + (N * 7919) rem tuple_size(Keys), Keys)),
    true = is_process_alive(Pid),
    look_up_names(N - 1, Table, Keys).
sleeper() -> receive stop -> ok end.
hear(0) -> ok;
hear(N) -> receive {news, _} -> hear(N - 1) end.
publish(0) -> ok;
publish(N) -> [Pid ! {news, N} || Pid <- pg:get_local_members(news)], publish(N - 1).
await_tasks(0) -> ok;
await_tasks(N) ->
    Pid = proc_lib:spawn_link(fun() -> receive {Owner, Reply} -> Owner ! {Reply, N} end end),
    Ref = monitor(process, Pid),
    Pid ! {self(), Ref},
    receive {Ref, N} -> demonitor(Ref, [flush]) end,
    await_tasks(N - 1).
start_and_stop(0, _) -> ok;
start_and_stop(N, Supervisor) ->
    {ok, Pid} = supervisor:start_child(Supervisor, []),
    ok = supervisor:terminate_child(Supervisor, Pid),
    start_and_stop(N - 1, Supervisor).
set_alarms(0, _) -> ok;
set_alarms(N, Self) ->
    Delay = 2000 + rand:uniform(3000),
    erlang:send_after(Delay, Self, {alarm, now_ns() + Delay * 1000000}),
    set_alarms(N - 1, Self).
spinner() -> receive {From, Ref} -> From ! {Ref, spin(100, 1)}, spinner() end.
spin(0, Value) -> Value;
spin(N, Value) -> spin(N - 1, (Value * 1103515245 + 12345) band 16#7fffffff).
hog(Value) -> hog((Value * 1103515245 + 12345) band 16#7fffffff).
ask_mostly_one(0, _, _, _) -> ok;
ask_mostly_one(N, I, Hot, Cold) ->
    Server = case (N * 7919 + I * 104729) rem 10 of
        0 -> element(1 + (N * 31 + I) rem 999, Cold);
        _ -> Hot
    end,
    Ref = make_ref(),
    Server ! {self(), Ref},
    receive {Ref, _} -> ask_mostly_one(N - 1, I, Hot, Cold) end.

init(dynamic) ->
    {ok, {#{strategy => simple_one_for_one},
          [#{id => child, start => {gen_server, start_link, [beam_server, 0, []]}, restart => temporary}]}};
init([]) ->
    {ok, {#{strategy => one_for_one, intensity => 1000000000, period => 1},
          [#{id => victim, start => {gen_server, start_link, [{local, victim}, beam_server, 0, []]}}]}}.
