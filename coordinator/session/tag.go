package session

import "github.com/tarnlake/tarn/planner/parser/ast"

// Tag is what CommandComplete says: the word, and whether a row count follows it.
type Tag struct {
	Word   string
	Counts bool
}

// TagOf gives the command tag of a statement.
func TagOf(stmt ast.Statement) Tag {
	switch st := stmt.(type) {
	case *ast.Select:
		return Tag{"SELECT", true}
	case *ast.Insert:
		return Tag{"INSERT 0", true}
	case *ast.Update:
		return Tag{"UPDATE", true}
	case *ast.Delete:
		return Tag{"DELETE", true}
	case *ast.Merge:
		return Tag{"MERGE", true}
	case *ast.Copy:
		return Tag{"COPY", true}
	case *ast.LoadData:
		return Tag{"COPY", true}
	case *ast.CreateTable:
		if st.Query != nil && !st.WithNoData || st.Execute != nil {
			return Tag{"SELECT", true}
		}
		if st.Query != nil {
			return Tag{"CREATE TABLE AS", false}
		}
		return Tag{"CREATE TABLE", false}
	case *ast.Fetch:
		if st.Move {
			return Tag{"MOVE", true}
		}
		return Tag{"FETCH", true}
	}
	if word := tagOfDefinition(stmt); word != "" {
		return Tag{word, false}
	}
	return Tag{tagOfSession(stmt), false}
}

func tagOfDefinition(stmt ast.Statement) string {
	switch st := stmt.(type) {
	case *ast.CreateSchema:
		return "CREATE SCHEMA"
	case *ast.CreateView:
		if st.Materialized {
			return "CREATE MATERIALIZED VIEW"
		}
		return "CREATE VIEW"
	case *ast.RefreshView:
		return "REFRESH MATERIALIZED VIEW"
	case *ast.CreateIndex:
		return "CREATE INDEX"
	case *ast.CreateResourceGroup:
		return alterOrCreate(st.Alter) + "RESOURCE GROUP"
	case *ast.CreateUser:
		return alterOrCreate(st.Alter) + "ROLE"
	case *ast.DropUser:
		return "DROP ROLE"
	case *ast.Drop:
		return "DROP " + objectWord(st.Kind)
	case *ast.AlterTable:
		return "ALTER " + objectWord(st.Kind)
	case *ast.Truncate:
		return "TRUNCATE TABLE"
	case *ast.CommentOn:
		return "COMMENT"
	case *ast.Grant:
		switch {
		case st.Revoke && st.Roles:
			return "REVOKE ROLE"
		case st.Revoke:
			return "REVOKE"
		case st.Roles:
			return "GRANT ROLE"
		}
		return "GRANT"
	}
	return ""
}

func alterOrCreate(alter bool) string {
	if alter {
		return "ALTER "
	}
	return "CREATE "
}

func objectWord(kind ast.ObjectKind) string {
	return map[ast.ObjectKind]string{
		ast.ObjectTable: "TABLE", ast.ObjectView: "VIEW", ast.ObjectMaterializedView: "MATERIALIZED VIEW",
		ast.ObjectSchema: "SCHEMA", ast.ObjectColumn: "COLUMN", ast.ObjectDatabase: "DATABASE", ast.ObjectIndex: "INDEX",
		ast.ObjectSequence: "SEQUENCE", ast.ObjectFunction: "FUNCTION", ast.ObjectType: "TYPE",
		ast.ObjectForeignTable: "FOREIGN TABLE", ast.ObjectRole: "ROLE", ast.ObjectResourceGroup: "RESOURCE GROUP",
		ast.ObjectExtension: "EXTENSION",
	}[kind]
}

func tagOfSession(stmt ast.Statement) string {
	switch st := stmt.(type) {
	case *ast.Set:
		if st.Default && st.Name == "all" {
			return "RESET"
		}
		return "SET"
	case *ast.SetTransaction, *ast.Use:
		return "SET"
	case *ast.Show, *ast.Describe:
		return "SHOW"
	case *ast.Explain:
		return "EXPLAIN"
	case *ast.Analyze:
		return "ANALYZE"
	case *ast.Vacuum:
		return "VACUUM"
	case *ast.Prepare:
		return "PREPARE"
	case *ast.Execute:
		return "EXECUTE"
	case *ast.Deallocate:
		if st.Name == "" {
			return "DEALLOCATE ALL"
		}
		return "DEALLOCATE"
	case *ast.DeclareCursor:
		return "DECLARE CURSOR"
	case *ast.CloseCursor:
		if st.Name == "" {
			return "CLOSE CURSOR ALL"
		}
		return "CLOSE CURSOR"
	case *ast.Discard:
		return "DISCARD " + st.What
	case *ast.Listen:
		return "LISTEN"
	case *ast.Unlisten:
		return "UNLISTEN"
	case *ast.Notify:
		return "NOTIFY"
	case *ast.SyncTable:
		return "SYNC TABLE"
	case *ast.Optimize:
		return "OPTIMIZE TABLE"
	case *ast.RollbackTable:
		return "ROLLBACK TABLE"
	case *ast.LockTable:
		return "LOCK TABLE"
	case *ast.Checkpoint:
		return "CHECKPOINT"
	case *ast.Call:
		return "CALL"
	case *ast.Kill:
		return "KILL"
	case *ast.Transaction:
		return tagOfTransaction(st)
	}
	return "OK"
}

func tagOfTransaction(st *ast.Transaction) string {
	switch st.Kind {
	case ast.Begin:
		if st.Start {
			return "START TRANSACTION"
		}
		return "BEGIN"
	case ast.Commit:
		return "COMMIT"
	case ast.Savepoint:
		return "SAVEPOINT"
	case ast.ReleaseSavepoint:
		return "RELEASE"
	}
	return "ROLLBACK"
}
