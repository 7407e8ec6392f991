CREATE TABLE `session` (
          `id` text PRIMARY KEY,
          `project_id` text NOT NULL,
          `workspace_id` text,
          `parent_id` text,
          `slug` text NOT NULL,
          `directory` text NOT NULL,
          `path` text,
          `title` text NOT NULL,
          `version` text NOT NULL,
          `share_url` text,
          `summary_additions` integer,
          `summary_deletions` integer,
          `summary_files` integer,
          `summary_diffs` text,
          `metadata` text,
          `cost` real DEFAULT 0 NOT NULL,
          `tokens_input` integer DEFAULT 0 NOT NULL,
          `tokens_output` integer DEFAULT 0 NOT NULL,
          `tokens_reasoning` integer DEFAULT 0 NOT NULL,
          `tokens_cache_read` integer DEFAULT 0 NOT NULL,
          `tokens_cache_write` integer DEFAULT 0 NOT NULL,
          `revert` text,
          `permission` text,
          `agent` text,
          `model` text,
          `time_created` integer NOT NULL,
          `time_updated` integer NOT NULL,
          `time_compacting` integer,
          `time_archived` integer
        );
INSERT INTO session (id,project_id,slug,directory,title,version,time_created,time_updated) VALUES ('ses_dd9e11c8effed5JLjs10mlTs6U','global','playful-forest','/work/garden','A title','1.18.33',1795935888241,1795935895451);
CREATE TABLE `message` (
          `id` text PRIMARY KEY,
          `session_id` text NOT NULL,
          `time_created` integer NOT NULL,
          `time_updated` integer NOT NULL,
          `data` text NOT NULL
        );
INSERT INTO message (id,session_id,time_created,time_updated,data) VALUES ('msg_2261ee3ec001BlhucsHRUqnhMD','ses_dd9e11c8effed5JLjs10mlTs6U',1795935888364,1795935890759,'{"role":"user","time":{"created":1795935888364},"agent":"build","model":{"providerID":"standin","modelID":"stand-in-1"},"summary":{"diffs":[]}}');
INSERT INTO message (id,session_id,time_created,time_updated,data) VALUES ('msg_2261ee455001EeHMSrqLJ19W7a','ses_dd9e11c8effed5JLjs10mlTs6U',1795935888470,1795935890713,'{"parentID":"msg_2261ee3ec001BlhucsHRUqnhMD","role":"assistant","mode":"build","agent":"build","path":{"cwd":"/work/garden","root":"/"},"cost":0,"tokens":{"total":127,"input":120,"output":7,"reasoning":0,"cache":{"write":0,"read":0}},"modelID":"stand-in-1","providerID":"standin","time":{"created":1795935888470,"completed":1795935890699},"finish":"stop"}');
INSERT INTO message (id,session_id,time_created,time_updated,data) VALUES ('msg_2261eef07001isa2Myl6W9l9ie','ses_dd9e11c8effed5JLjs10mlTs6U',1795935891207,1795935892162,'{"role":"user","time":{"created":1795935891207},"agent":"build","model":{"providerID":"standin","modelID":"stand-in-1"},"summary":{"diffs":[]}}');
INSERT INTO message (id,session_id,time_created,time_updated,data) VALUES ('msg_2261eef23001SMKvjkPfwqWf8f','ses_dd9e11c8effed5JLjs10mlTs6U',1795935891235,1795935891746,'{"parentID":"msg_2261eef07001isa2Myl6W9l9ie","role":"assistant","mode":"build","agent":"build","path":{"cwd":"/work/garden","root":"/"},"cost":0,"tokens":{"total":127,"input":120,"output":7,"reasoning":0,"cache":{"write":0,"read":0}},"modelID":"stand-in-1","providerID":"standin","time":{"created":1795935891235,"completed":1795935891743},"finish":"tool-calls"}');
INSERT INTO message (id,session_id,time_created,time_updated,data) VALUES ('msg_2261ef128001wAKQhYD2mxWovP','ses_dd9e11c8effed5JLjs10mlTs6U',1795935891754,1795935892127,'{"parentID":"msg_2261eef07001isa2Myl6W9l9ie","role":"assistant","mode":"build","agent":"build","path":{"cwd":"/work/garden","root":"/"},"cost":0,"tokens":{"total":127,"input":120,"output":7,"reasoning":0,"cache":{"write":0,"read":0}},"modelID":"stand-in-1","providerID":"standin","time":{"created":1795935891754,"completed":1795935892123},"finish":"stop"}');
INSERT INTO message (id,session_id,time_created,time_updated,data) VALUES ('msg_2261ef479001Y9ZqA5vwx2EKk0','ses_dd9e11c8effed5JLjs10mlTs6U',1795935892601,1795935894232,'{"role":"user","time":{"created":1795935892601},"agent":"build","model":{"providerID":"standin","modelID":"stand-in-1"},"summary":{"diffs":[]}}');
INSERT INTO message (id,session_id,time_created,time_updated,data) VALUES ('msg_2261ef53a001h9HoilNmNZv9Hf','ses_dd9e11c8effed5JLjs10mlTs6U',1795935892794,1795935893597,'{"parentID":"msg_2261ef479001Y9ZqA5vwx2EKk0","role":"assistant","mode":"build","agent":"build","path":{"cwd":"/work/garden","root":"/"},"cost":0,"tokens":{"total":127,"input":120,"output":7,"reasoning":0,"cache":{"write":0,"read":0}},"modelID":"stand-in-1","providerID":"standin","time":{"created":1795935892794,"completed":1795935893587},"finish":"tool-calls"}');
INSERT INTO message (id,session_id,time_created,time_updated,data) VALUES ('msg_2261ef8620012UOqCkTBUH06j2','ses_dd9e11c8effed5JLjs10mlTs6U',1795935893602,1795935894179,'{"parentID":"msg_2261ef479001Y9ZqA5vwx2EKk0","role":"assistant","mode":"build","agent":"build","path":{"cwd":"/work/garden","root":"/"},"cost":0,"tokens":{"total":127,"input":120,"output":7,"reasoning":0,"cache":{"write":0,"read":0}},"modelID":"stand-in-1","providerID":"standin","time":{"created":1795935893602,"completed":1795935894177},"finish":"stop"}');
INSERT INTO message (id,session_id,time_created,time_updated,data) VALUES ('msg_2261efbf6001G6bW73eDlle6KK','ses_dd9e11c8effed5JLjs10mlTs6U',1795935894518,1795935895463,'{"role":"user","time":{"created":1795935894518},"agent":"build","model":{"providerID":"standin","modelID":"stand-in-1"},"summary":{"diffs":[]}}');
INSERT INTO message (id,session_id,time_created,time_updated,data) VALUES ('msg_2261efc66001WCtM8Vp7Ac2E9k','ses_dd9e11c8effed5JLjs10mlTs6U',1795935894630,1795935895007,'{"parentID":"msg_2261efbf6001G6bW73eDlle6KK","role":"assistant","mode":"build","agent":"build","path":{"cwd":"/work/garden","root":"/"},"cost":0,"tokens":{"total":127,"input":120,"output":7,"reasoning":0,"cache":{"write":0,"read":0}},"modelID":"stand-in-1","providerID":"standin","time":{"created":1795935894630,"completed":1795935895005},"finish":"tool-calls"}');
INSERT INTO message (id,session_id,time_created,time_updated,data) VALUES ('msg_2261efdee001PoBzxNBOaSk2pc','ses_dd9e11c8effed5JLjs10mlTs6U',1795935895022,1795935895439,'{"parentID":"msg_2261efbf6001G6bW73eDlle6KK","role":"assistant","mode":"build","agent":"build","path":{"cwd":"/work/garden","root":"/"},"cost":0,"tokens":{"total":127,"input":120,"output":7,"reasoning":0,"cache":{"write":0,"read":0}},"modelID":"stand-in-1","providerID":"standin","time":{"created":1795935895022,"completed":1795935895437},"finish":"stop"}');
CREATE TABLE `part` (
          `id` text PRIMARY KEY,
          `message_id` text NOT NULL,
          `session_id` text NOT NULL,
          `time_created` integer NOT NULL,
          `time_updated` integer NOT NULL,
          `data` text NOT NULL
        );
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261ee3f0001hV57trNlax2fUy','msg_2261ee3ec001BlhucsHRUqnhMD','ses_dd9e11c8effed5JLjs10mlTs6U',1795935888382,1795935888389,'{"type":"text","text":"Plant the marigolds, please.\nDO nothing \"quoted\" words — naïve"}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261eec39001gRumBJjyx0nK4i','msg_2261ee455001EeHMSrqLJ19W7a','ses_dd9e11c8effed5JLjs10mlTs6U',1795935890490,1795935890496,'{"type":"step-start"}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261eec48001D3q1IxSXW5dmGE','msg_2261ee455001EeHMSrqLJ19W7a','ses_dd9e11c8effed5JLjs10mlTs6U',1795935890505,1795935890647,'{"type":"text","text":"Here is the streamed answer.","time":{"start":1795935890504,"end":1795935890645}}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261eecf0001iaGvWi0x4A5DWb','msg_2261ee455001EeHMSrqLJ19W7a','ses_dd9e11c8effed5JLjs10mlTs6U',1795935890673,1795935890674,'{"reason":"stop","type":"step-finish","tokens":{"total":127,"input":120,"output":7,"reasoning":0,"cache":{"write":0,"read":0}},"cost":0}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261eef09001CzXhWooSZFYjfR','msg_2261eef07001isa2Myl6W9l9ie','ses_dd9e11c8effed5JLjs10mlTs6U',1795935891214,1795935891216,'{"type":"text","text":"DO shell echo marigold \"in a\" pot"}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261eefbc001dpBsVi6YxpfgEC','msg_2261eef23001SMKvjkPfwqWf8f','ses_dd9e11c8effed5JLjs10mlTs6U',1795935891388,1795935891390,'{"type":"step-start"}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261eefc1001pa2Qz227tzcbr0','msg_2261eef23001SMKvjkPfwqWf8f','ses_dd9e11c8effed5JLjs10mlTs6U',1795935891393,1795935891721,'{"type":"tool","tool":"bash","callID":"call_1","state":{"status":"completed","input":{"command":"echo marigold"},"output":"marigold\n","metadata":{"output":"marigold\n","exit":0,"truncated":false},"title":"echo marigold","time":{"start":1795935891412,"end":1795935891718}}}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261ef10d0012dzJFHwpQf4yy5','msg_2261eef23001SMKvjkPfwqWf8f','ses_dd9e11c8effed5JLjs10mlTs6U',1795935891725,1795935891729,'{"reason":"tool-calls","type":"step-finish","tokens":{"total":127,"input":120,"output":7,"reasoning":0,"cache":{"write":0,"read":0}},"cost":0}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261ef200001RwKDoijR7kF5UY','msg_2261ef128001wAKQhYD2mxWovP','ses_dd9e11c8effed5JLjs10mlTs6U',1795935891969,1795935891971,'{"type":"step-start"}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261ef20d001zbWSq4g6iJupdc','msg_2261ef128001wAKQhYD2mxWovP','ses_dd9e11c8effed5JLjs10mlTs6U',1795935891982,1795935892084,'{"type":"text","text":"The tool said: marigold\n","time":{"start":1795935891981,"end":1795935892079}}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261ef27e001N9fImcExs1yZ0f','msg_2261ef128001wAKQhYD2mxWovP','ses_dd9e11c8effed5JLjs10mlTs6U',1795935892095,1795935892101,'{"reason":"stop","type":"step-finish","tokens":{"total":127,"input":120,"output":7,"reasoning":0,"cache":{"write":0,"read":0}},"cost":0}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261ef47a0017r93xM6J1f41LR','msg_2261ef479001Y9ZqA5vwx2EKk0','ses_dd9e11c8effed5JLjs10mlTs6U',1795935892615,1795935892633,'{"type":"text","text":"DO write /work/garden/marigold.txt"}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261ef7cf001StE3PPb3TtdSRk','msg_2261ef53a001h9HoilNmNZv9Hf','ses_dd9e11c8effed5JLjs10mlTs6U',1795935893456,1795935893459,'{"type":"step-start"}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261ef7d70015zs1v1YYYWp0tn','msg_2261ef53a001h9HoilNmNZv9Hf','ses_dd9e11c8effed5JLjs10mlTs6U',1795935893463,1795935893561,'{"type":"tool","tool":"write","callID":"call_2","state":{"status":"completed","input":{"content":"one\ntwo\n","filePath":"/work/garden/marigold.txt"},"output":"Wrote file successfully.","metadata":{"diagnostics":{},"filepath":"/work/garden/marigold.txt","exists":false,"truncated":false},"title":"tmp/tr/work/garden/marigold.txt","time":{"start":1795935893481,"end":1795935893551}}}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261ef846001wBYbpLzzRaMGH7','msg_2261ef53a001h9HoilNmNZv9Hf','ses_dd9e11c8effed5JLjs10mlTs6U',1795935893575,1795935893581,'{"reason":"tool-calls","type":"step-finish","tokens":{"total":127,"input":120,"output":7,"reasoning":0,"cache":{"write":0,"read":0}},"cost":0}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261efa25001qbpzr1FfPpIC6B','msg_2261ef8620012UOqCkTBUH06j2','ses_dd9e11c8effed5JLjs10mlTs6U',1795935894054,1795935894070,'{"type":"step-start"}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261efa3e001UfzYUSKWuyxdCH','msg_2261ef8620012UOqCkTBUH06j2','ses_dd9e11c8effed5JLjs10mlTs6U',1795935894079,1795935894124,'{"type":"text","text":"The tool said: Wrote file successfully.","time":{"start":1795935894078,"end":1795935894118}}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261efa780012JDoAc1rjDRHTj','msg_2261ef8620012UOqCkTBUH06j2','ses_dd9e11c8effed5JLjs10mlTs6U',1795935894137,1795935894139,'{"reason":"stop","type":"step-finish","tokens":{"total":127,"input":120,"output":7,"reasoning":0,"cache":{"write":0,"read":0}},"cost":0}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261efbf7001Sw1U4GuIGB5RTM','msg_2261efbf6001G6bW73eDlle6KK','ses_dd9e11c8effed5JLjs10mlTs6U',1795935894537,1795935894548,'{"type":"text","text":"Thanks for the marigolds"}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261efd59001YmvMbkjcA5mPi6','msg_2261efc66001WCtM8Vp7Ac2E9k','ses_dd9e11c8effed5JLjs10mlTs6U',1795935894873,1795935894877,'{"type":"step-start"}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261efd610011a36noGzpKZZa4','msg_2261efc66001WCtM8Vp7Ac2E9k','ses_dd9e11c8effed5JLjs10mlTs6U',1795935894881,1795935894961,'{"type":"tool","tool":"write","callID":"call_3","state":{"status":"completed","input":{"content":"one\ntwo\n","filePath":"/work/garden/marigold.txt"},"output":"Wrote file successfully.","metadata":{"diagnostics":{},"filepath":"/work/garden/marigold.txt","exists":true,"truncated":false},"title":"tmp/tr/work/garden/marigold.txt","time":{"start":1795935894899,"end":1795935894959}}}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261efdbc001DtQw38EYYZfTzV','msg_2261efc66001WCtM8Vp7Ac2E9k','ses_dd9e11c8effed5JLjs10mlTs6U',1795935894976,1795935894978,'{"reason":"tool-calls","type":"step-finish","tokens":{"total":127,"input":120,"output":7,"reasoning":0,"cache":{"write":0,"read":0}},"cost":0}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261eff25001FaOge7wHgWKRpw','msg_2261efdee001PoBzxNBOaSk2pc','ses_dd9e11c8effed5JLjs10mlTs6U',1795935895333,1795935895335,'{"type":"step-start"}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261eff2a001OOYNXMvWY2gEkK','msg_2261efdee001PoBzxNBOaSk2pc','ses_dd9e11c8effed5JLjs10mlTs6U',1795935895339,1795935895402,'{"type":"text","text":"The tool said: Wrote file successfully.","time":{"start":1795935895338,"end":1795935895400}}');
INSERT INTO part (id,message_id,session_id,time_created,time_updated,data) VALUES ('prt_2261eff75001Yskxt5xNffOtRn','msg_2261efdee001PoBzxNBOaSk2pc','ses_dd9e11c8effed5JLjs10mlTs6U',1795935895413,1795935895415,'{"reason":"stop","type":"step-finish","tokens":{"total":127,"input":120,"output":7,"reasoning":0,"cache":{"write":0,"read":0}},"cost":0}');
