package real
import ("testing";"time";"fmt")
func TestX(t *testing.T){
 for _, f := range []string{"x"} { t.Run(f, func(t *testing.T){
 b:=time.Now()
 s:=Start(t,Courier,&Options{Format:f})
 fmt.Println(f, time.Since(b))
 b=time.Now()
 var raw [][]byte
 for i:=range 2000 { raw=append(raw, []byte(fmt.Sprintf("Subject: %d\n\nhello\n",i)))}
 r:=s.Put(t,raw); fmt.Println(r, time.Since(b)); b=time.Now()
 m:=s.Stored(t,"INBOX"); fmt.Println(len(m), time.Since(b)); b=time.Now()
 fmt.Printf("%q %v\n", m[1999].Raw, m[1999])
 fmt.Println(s.Log())
 t.Cleanup(func(){fmt.Println("stop",time.Since(b))})
 b=time.Now()
 })}
}
