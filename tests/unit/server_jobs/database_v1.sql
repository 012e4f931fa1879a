BEGIN TRANSACTION;
CREATE TABLE candidates (
        ranking TEXT NOT NULL REFERENCES rankings (name) ON DELETE CASCADE,
        position BIGINT NOT NULL,
        model TEXT NOT NULL,
        deaths BIGINT NOT NULL,
        results TEXT,
        error TEXT,
        outcome BLOB,
        PRIMARY KEY (ranking, position)
    );
INSERT INTO "candidates" VALUES('projects/p/rankings/ended',0,'onnx:a',0,'[{"value":0.1}]',NULL,X'01');
INSERT INTO "candidates" VALUES('projects/p/rankings/ended',1,'b',0,NULL,'{"reason":"EncoderError","message":"no"}',X'02');
INSERT INTO "candidates" VALUES('projects/p/rankings/running',0,'onnx:a',0,'[{"value":0.1}]',NULL,X'00FF');
CREATE TABLE datasets (
        name TEXT PRIMARY KEY,
        project TEXT NOT NULL,
        state TEXT NOT NULL,
        display_name TEXT NOT NULL,
        format TEXT NOT NULL,
        digest TEXT NOT NULL,
        size_bytes BIGINT NOT NULL,
        uri TEXT NOT NULL,
        n_samples BIGINT,
        n_classes BIGINT,
        create_time DOUBLE PRECISION NOT NULL,
        expire_time DOUBLE PRECISION,
        version BIGINT NOT NULL,
        error TEXT,
        labels TEXT NOT NULL
    );
INSERT INTO "datasets" VALUES('projects/p/datasets/d','p','ACTIVE','d','zip','sha256:00',5,'',7,2,1.79552301411753559116e+09,NULL,1,NULL,'{"a":"b"}');
CREATE TABLE events (
        ranking TEXT NOT NULL REFERENCES rankings (name) ON DELETE CASCADE,
        sequence BIGINT NOT NULL,
        time DOUBLE PRECISION NOT NULL,
        kind TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (ranking, sequence)
    );
INSERT INTO "events" VALUES('projects/p/rankings/ended',1,1.79552301413488817212e+09,'STATE','{"state":"QUEUED"}');
INSERT INTO "events" VALUES('projects/p/rankings/ended',2,1.79552301414333963401e+09,'STATE','{"state":"RUNNING"}');
INSERT INTO "events" VALUES('projects/p/rankings/ended',3,1.79552301415336775783e+09,'CANDIDATE','{"position":0,"model":"onnx:a","results":[{"value":0.1}]}');
INSERT INTO "events" VALUES('projects/p/rankings/ended',4,1.79552301415528035161e+09,'FAILURE','{"position":1,"model":"b","reason":"EncoderError","message":"no"}');
INSERT INTO "events" VALUES('projects/p/rankings/ended',5,1.7955230141568307876e+09,'STATE','{"state":"SUCCEEDED"}');
INSERT INTO "events" VALUES('projects/p/rankings/running',1,1.7955230141601674557e+09,'STATE','{"state":"QUEUED"}');
INSERT INTO "events" VALUES('projects/p/rankings/running',2,1.79552301416483235359e+09,'STATE','{"state":"RUNNING"}');
INSERT INTO "events" VALUES('projects/p/rankings/running',3,1.79552301416779899593e+09,'CANDIDATE','{"position":0,"model":"onnx:a","results":[{"value":0.1}]}');
CREATE TABLE rankings (
        name TEXT PRIMARY KEY,
        project TEXT NOT NULL,
        state TEXT NOT NULL,
        dataset TEXT NOT NULL,
        spec TEXT NOT NULL,
        priority BIGINT NOT NULL,
        deadline DOUBLE PRECISION,
        labels TEXT NOT NULL,
        create_time DOUBLE PRECISION NOT NULL,
        start_time DOUBLE PRECISION,
        end_time DOUBLE PRECISION,
        version BIGINT NOT NULL,
        n_candidates BIGINT NOT NULL,
        n_done BIGINT NOT NULL,
        n_failed BIGINT NOT NULL,
        last_sequence BIGINT NOT NULL,
        deaths BIGINT NOT NULL,
        error TEXT,
        document TEXT,
        lease TEXT,
        lease_owner TEXT,
        lease_until DOUBLE PRECISION
    );
INSERT INTO "rankings" VALUES('projects/p/rankings/ended','p','SUCCEEDED','projects/p/datasets/d','{"dataset":"projects/p/datasets/d","models":[{"uri":"onnx:a","name":null},{"uri":"hf:b","name":"b"}],"options":{"seed":3}}',0,NULL,'{}',1.79552301413309097289e+09,1795523014.13933,1.79552301415614366528e+09,10,2,1,1,5,0,NULL,'{"candidates":[0.1]}',NULL,NULL,NULL);
INSERT INTO "rankings" VALUES('projects/p/rankings/running','p','RUNNING','projects/p/datasets/d','{"dataset":"projects/p/datasets/d","models":[{"uri":"onnx:a","name":null},{"uri":"hf:b","name":"b"}],"options":{"seed":3}}',0,NULL,'{}',1.79552301415977334981e+09,1.79552301416318202016e+09,NULL,6,2,1,0,3,0,NULL,NULL,'life-1','front',1.79552307416318202015e+09);
CREATE TABLE requests (
        project TEXT NOT NULL,
        request_id TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        name TEXT NOT NULL,
        create_time DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (project, request_id)
    );
INSERT INTO "requests" VALUES('p','id','x','projects/p/uploads/u',1.79552301412602353103e+09);
CREATE TABLE schema_versions (version BIGINT PRIMARY KEY, applied_at DOUBLE PRECISION NOT NULL);
INSERT INTO "schema_versions" VALUES(1,1.79552301409550356869e+09);
CREATE TABLE secrets (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    );
INSERT INTO "secrets" VALUES('page_key','0000000000000000000000000000000000000000000000000000000000000000');
CREATE TABLE uploads (
        name TEXT PRIMARY KEY,
        project TEXT NOT NULL,
        dataset TEXT NOT NULL,
        state TEXT NOT NULL,
        format TEXT NOT NULL,
        display_name TEXT NOT NULL,
        total_size BIGINT NOT NULL,
        expected_digest TEXT NOT NULL,
        create_time DOUBLE PRECISION NOT NULL,
        expire_time DOUBLE PRECISION NOT NULL,
        labels TEXT NOT NULL
    );
INSERT INTO "uploads" VALUES('projects/p/uploads/u','p','projects/p/datasets/e','OPEN','zip','',10,'',1.79552301412510347368e+09,4000000000.0,'{}');
CREATE INDEX datasets_by_time ON datasets (project, create_time, name);
CREATE INDEX rankings_by_time ON rankings (project, create_time, name);
CREATE INDEX rankings_by_state ON rankings (state, priority, create_time);
COMMIT;
