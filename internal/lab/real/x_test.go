package real
import ("testing";"fmt";"os/exec";"time")
func TestX(t *testing.T){
 s:=Start(t,Courier,nil)
 c:=exec.Command("sh","-c",fmt.Sprintf("exec strace -f -s 300 -o /tmp/st.txt -p $(pgrep -f 'nodnslookup -noidentlookup %d ')", s.POP3))
 c.Start(); time.Sleep(time.Second)
 w:=connect(t,s.POP3,nil)
 fmt.Println(w.pop("STLS"))
 w.Write([]byte("\x16\x03\x01"))
 fmt.Println(w.pop("x"))
 c.Process.Kill(); c.Wait()
 fmt.Println(s.Log())
}
